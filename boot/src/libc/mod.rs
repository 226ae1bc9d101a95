//! The few C symbols that compiled code and crates ask for.
//!
//! The target is Linux by name, so `ring` and `getrandom` call what Linux would offer. Random bytes
//! are real; everything else answers "there is no such thing", and nothing calls it.

mod memory;

use core::ffi::{c_char, c_int, c_long, c_void};

use hal_x86::entropy;

const SYS_GETRANDOM: c_long = 318;
const ENOSYS: c_int = 38;

/// System calls: getrandom(2) only, which `ring` draws nonces and blinding from.
#[unsafe(no_mangle)]
extern "C" fn syscall(number: c_long, buffer: *mut u8, len: usize, _flags: u32) -> c_long {
    if number != SYS_GETRANDOM {
        return fail();
    }
    if buffer.is_null() || len == 0 {
        return 0;
    }
    // SAFETY: getrandom(2): the caller passes a writable buffer of `len` bytes.
    let bytes = unsafe { core::slice::from_raw_parts_mut(buffer, len) };
    entropy::fill(bytes);
    len as c_long
}

/// The same as a function of its own.
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut u8, len: usize, flags: u32) -> c_long {
    syscall(SYS_GETRANDOM, buffer, len, flags)
}

/// Looks symbols up: getrandom(2) only, which newer `getrandom` crates ask for this way.
#[unsafe(no_mangle)]
extern "C" fn dlsym(_handle: *mut c_void, name: *const c_char) -> *const c_void {
    if name.is_null() {
        return core::ptr::null();
    }
    // SAFETY: dlsym(3): the caller passes a terminated string.
    let name = unsafe { core::ffi::CStr::from_ptr(name) };
    if name == c"getrandom" {
        return getrandom as *const c_void;
    }
    core::ptr::null()
}

/// Address of the error number. One processor runs one thread, so there is one.
#[unsafe(no_mangle)]
extern "C" fn __errno_location() -> *mut c_int {
    static ERROR: core::sync::atomic::AtomicI32 = core::sync::atomic::AtomicI32::new(ENOSYS);
    ERROR.as_ptr()
}

fn fail<T: From<i8>>() -> T {
    T::from(-1)
}

/// There are no files.
#[unsafe(no_mangle)]
extern "C" fn open(_path: *const c_char, _flags: c_int) -> c_int {
    fail()
}

/// There are no files.
#[unsafe(no_mangle)]
extern "C" fn read(_file: c_int, _buffer: *mut c_void, _len: usize) -> isize {
    -1
}

/// There are no files.
#[unsafe(no_mangle)]
extern "C" fn close(_file: c_int) -> c_int {
    fail()
}

/// There are no files.
#[unsafe(no_mangle)]
extern "C" fn poll(_files: *mut c_void, _count: usize, _timeout: c_int) -> c_int {
    fail()
}

/// There is one thread.
#[unsafe(no_mangle)]
extern "C" fn pthread_mutex_lock(_mutex: *mut c_void) -> c_int {
    0
}

/// There is one thread.
#[unsafe(no_mangle)]
extern "C" fn pthread_mutex_unlock(_mutex: *mut c_void) -> c_int {
    0
}

/// Named by unwinding landing pads in precompiled code, which are never taken: panics do not unwind.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    hal_x86::power::reset_now()
}
