//! The whole disk that the loader's partition is on, by Block I/O (UEFI §13.9).

use r_efi::efi::Status;
use r_efi::protocols::{block_io, device_path, loaded_image};
use slots::{BlockDevice, BlockError, SECTOR};

use crate::services::Services;

/// Largest block: that of a CD is 2048 bytes.
const BLOCK_MAX: usize = 4096;
/// Bytes of one transfer.
const TRANSFER: usize = 64 << 10;
/// The type of a device path's last node.
const PATH_END: u8 = 0x7f;

/// Memory that transfers go through: some controllers want it aligned.
#[repr(C, align(4096))]
struct Buffer([u8; TRANSFER]);
static mut BUFFER: Buffer = Buffer([0; TRANSFER]);

/// The disk.
pub(crate) struct EfiDisk<'a> {
    services: &'a Services,
    interface: *mut block_io::Protocol,
    media: block_io::Media,
    block: usize,
}

impl<'a> EfiDisk<'a> {
    /// The disk whose device path the loader's partition's begins with.
    pub(crate) fn of_loader(services: &'a Services) -> Option<Self> {
        let image: *mut loaded_image::Protocol =
            services.protocol(services.image(), loaded_image::PROTOCOL_GUID)?;
        // SAFETY: an interface of the machine's firmware.
        let partition = unsafe { (*image).device_handle };
        let path = device_path(services, partition)?;
        let handles = services.handles(block_io::PROTOCOL_GUID);
        handles.iter().find_map(|&handle| {
            let interface: *mut block_io::Protocol =
                services.protocol(handle, block_io::PROTOCOL_GUID)?;
            // SAFETY: an interface of the machine's firmware.
            let media = unsafe { *(*interface).media };
            let block = media.block_size as usize;
            let is_disk = media.media_present
                && !media.logical_partition
                && block.is_multiple_of(SECTOR)
                && (SECTOR..=BLOCK_MAX).contains(&block)
                && path.starts_with(device_path(services, handle)?);
            is_disk.then_some(Self {
                services,
                interface,
                media,
                block,
            })
        })
    }

    /// The transfer buffer.
    fn buffer() -> *mut u8 {
        (&raw mut BUFFER).cast()
    }

    /// Reads `bytes`, whole blocks, into the buffer.
    fn fill(&mut self, first: u64, bytes: usize) -> Result<(), BlockError> {
        // SAFETY: an interface of the machine's firmware; the buffer is long enough.
        let status = unsafe {
            ((*self.interface).read_blocks)(
                self.interface,
                self.media.media_id,
                first,
                bytes,
                Self::buffer().cast(),
            )
        };
        self.services.settle();
        outcome(status)
    }
}

fn outcome(status: Status) -> Result<(), BlockError> {
    match status {
        Status::SUCCESS => Ok(()),
        Status::WRITE_PROTECTED => Err(BlockError::ReadOnly),
        status => Err(BlockError::Device(status.as_usize() as u64)),
    }
}

/// The nodes of a handle's device path, without the end.
fn device_path(services: &Services, handle: r_efi::efi::Handle) -> Option<&'static [u8]> {
    let path: *mut device_path::Protocol = services.protocol(handle, device_path::PROTOCOL_GUID)?;
    let mut len = 0;
    loop {
        // SAFETY: the machine's firmware keeps paths terminated, and for as long as their handles.
        let node = unsafe { *path.byte_add(len) };
        if node.r#type == PATH_END {
            // SAFETY: walked that far.
            return Some(unsafe { core::slice::from_raw_parts(path.cast(), len) });
        }
        let node_len = usize::from(u16::from_le_bytes(node.length));
        if node_len < 4 {
            return None;
        }
        len += node_len;
    }
}

impl BlockDevice for EfiDisk<'_> {
    fn sectors(&self) -> u64 {
        let blocks = self.media.last_block.saturating_add(1);
        blocks.saturating_mul((self.block / SECTOR) as u64)
    }

    fn is_writable(&self) -> bool {
        !self.media.read_only && self.block == SECTOR
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError> {
        let per_block = (self.block / SECTOR) as u64;
        let end = first.checked_add((data.len() / SECTOR) as u64);
        if end.is_none_or(|end| end > self.sectors()) || !data.len().is_multiple_of(SECTOR) {
            return Err(BlockError::OutOfRange);
        }
        let mut rest = data;
        let mut sector = first;
        while !rest.is_empty() {
            let skipped = (sector % per_block) as usize * SECTOR;
            let len = rest.len().min(TRANSFER - skipped);
            self.fill(
                sector / per_block,
                (skipped + len).next_multiple_of(self.block),
            )?;
            let (part, left) = rest.split_at_mut(len);
            // SAFETY: filled that far; `self` is borrowed, so nothing fills it anew meanwhile.
            let read = unsafe { core::slice::from_raw_parts(Self::buffer().add(skipped), len) };
            part.copy_from_slice(read);
            rest = left;
            sector += (len / SECTOR) as u64;
        }
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), BlockError> {
        if !self.is_writable() {
            return Err(BlockError::ReadOnly);
        }
        let end = first.checked_add((data.len() / SECTOR) as u64);
        if end.is_none_or(|end| end > self.sectors()) || !data.len().is_multiple_of(SECTOR) {
            return Err(BlockError::OutOfRange);
        }
        for (index, part) in data.chunks(TRANSFER).enumerate() {
            let at = first + (index * (TRANSFER / SECTOR)) as u64;
            // SAFETY: the buffer is ours; an interface of the machine's firmware.
            let status = unsafe {
                Self::buffer().copy_from_nonoverlapping(part.as_ptr(), part.len());
                ((*self.interface).write_blocks)(
                    self.interface,
                    self.media.media_id,
                    at,
                    part.len(),
                    Self::buffer().cast(),
                )
            };
            self.services.settle();
            outcome(status)?;
        }
        // SAFETY: as above.
        let status = unsafe { ((*self.interface).flush_blocks)(self.interface) };
        self.services.settle();
        outcome(status)
    }
}
