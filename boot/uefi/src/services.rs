//! Boot services, as far as the loader needs them. Interrupts are off after each.

use core::arch::asm;
use core::ffi::c_void;
use core::ptr;

use r_efi::efi::{
    self, ACPI_10_TABLE_GUID, ACPI_20_TABLE_GUID, BootServices, Guid, Handle, MemoryDescriptor,
    Status, SystemTable,
};

/// The services.
pub(crate) struct Services {
    image: Handle,
    table: *mut SystemTable,
}

/// A memory map, as the service gives it.
pub(crate) struct RawMap<'a> {
    /// Descriptors, each `stride` bytes.
    pub(crate) bytes: &'a [u8],
    /// Bytes from one descriptor to the next.
    pub(crate) stride: usize,
    /// What [`Services::exit`] wants.
    pub(crate) key: usize,
}

impl Services {
    /// Switches interrupts off.
    ///
    /// # Safety
    /// The arguments are those of the entry; boot services have not ended.
    pub(crate) unsafe fn new(image: Handle, table: *mut SystemTable) -> Self {
        quiet();
        Self { image, table }
    }

    /// The handle of this loader.
    pub(crate) fn image(&self) -> Handle {
        self.image
    }

    fn boot(&self) -> &BootServices {
        // SAFETY: by `new`, the table and what it points to are there.
        unsafe { &*(*self.table).boot_services }
    }

    /// Writes text, UCS-2 and terminated, to the machine's console.
    pub(crate) fn print(&self, text: &mut [u16]) {
        // SAFETY: as in `boot`; the console may be missing.
        unsafe {
            let console = (*self.table).con_out;
            if !console.is_null() && text.last() == Some(&0) {
                let _ = ((*console).output_string)(console, text.as_mut_ptr());
            }
        }
        quiet();
    }

    /// Keeps the machine from resetting (UEFI §7.5.1).
    pub(crate) fn disarm_watchdog(&self) {
        // SAFETY: as in `boot`.
        let _ = unsafe { (self.boot().set_watchdog_timer)(0, 0, 0, ptr::null_mut()) };
        quiet();
    }

    /// The interface `protocol` of `handle`.
    pub(crate) fn protocol<T>(&self, handle: Handle, mut protocol: Guid) -> Option<*mut T> {
        let mut interface: *mut c_void = ptr::null_mut();
        // SAFETY: as in `boot`.
        let status =
            unsafe { (self.boot().handle_protocol)(handle, &raw mut protocol, &raw mut interface) };
        quiet();
        (status == Status::SUCCESS && !interface.is_null()).then_some(interface.cast())
    }

    /// All handles with `protocol`.
    pub(crate) fn handles(&self, mut protocol: Guid) -> &[Handle] {
        let mut count = 0;
        let mut handles: *mut Handle = ptr::null_mut();
        // SAFETY: as in `boot`. The list is never given back.
        let status = unsafe {
            (self.boot().locate_handle_buffer)(
                efi::BY_PROTOCOL,
                &raw mut protocol,
                ptr::null_mut(),
                &raw mut count,
                &raw mut handles,
            )
        };
        quiet();
        if status != Status::SUCCESS || handles.is_null() {
            return &[];
        }
        // SAFETY: the service has filled it.
        unsafe { core::slice::from_raw_parts(handles, count) }
    }

    /// Takes `pages` at `address` for code.
    pub(crate) fn allocate_at(&self, address: u64, pages: usize) -> bool {
        let mut address = address;
        // SAFETY: as in `boot`.
        let status = unsafe {
            (self.boot().allocate_pages)(
                efi::ALLOCATE_ADDRESS,
                efi::LOADER_CODE,
                pages,
                &raw mut address,
            )
        };
        quiet();
        status == Status::SUCCESS
    }

    /// The memory map, in `buffer`.
    pub(crate) fn memory_map<'a>(&self, buffer: &'a mut [u64]) -> Option<RawMap<'a>> {
        let mut len = size_of_val(buffer);
        let (mut key, mut stride, mut version) = (0, 0, 0);
        // SAFETY: as in `boot`; the buffer has the alignment of a descriptor.
        let status = unsafe {
            (self.boot().get_memory_map)(
                &raw mut len,
                buffer.as_mut_ptr().cast(),
                &raw mut key,
                &raw mut stride,
                &raw mut version,
            )
        };
        quiet();
        if status != Status::SUCCESS || stride < size_of::<MemoryDescriptor>() {
            return None;
        }
        // SAFETY: numbers are bytes.
        let bytes =
            unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast(), size_of_val(buffer)) };
        Some(RawMap {
            bytes: bytes.get(..len)?,
            stride,
            key,
        })
    }

    /// Ends boot services, if `key` is that of the current memory map.
    pub(crate) fn exit(&self, key: usize) -> bool {
        // SAFETY: as in `boot`; afterwards only the serial line is used.
        let status = unsafe { (self.boot().exit_boot_services)(self.image, key) };
        quiet();
        status == Status::SUCCESS
    }

    /// The physical address of the ACPI root pointer; 0 if there is none.
    pub(crate) fn acpi_root(&self) -> u64 {
        // SAFETY: as in `boot`; the table has as many entries as it says.
        let entries = unsafe {
            let table = &*self.table;
            if table.configuration_table.is_null() {
                return 0;
            }
            core::slice::from_raw_parts(table.configuration_table, table.number_of_table_entries)
        };
        [ACPI_20_TABLE_GUID, ACPI_10_TABLE_GUID]
            .iter()
            .find_map(|kind| entries.iter().find(|entry| entry.vendor_guid == *kind))
            .map_or(0, |entry| entry.vendor_table as u64)
    }
}

impl Services {
    /// To be called after a call of the machine's firmware that was not made here.
    #[expect(clippy::unused_self, reason = "only who has services calls them")]
    pub(crate) fn settle(&self) {
        quiet();
    }
}

/// Interrupts off.
fn quiet() {
    // SAFETY: nothing of the loader waits for an interrupt; services switch them on as they need.
    unsafe { asm!("cli", options(nomem, nostack)) };
}
