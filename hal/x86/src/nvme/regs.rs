//! Registers, commands and identification data of an NVMe controller. Layout only.
//!
//! Source: NVM Express base specification 1.4 (section numbers are of that revision).

/// Controller registers, §3.1. Byte offsets into BAR 0.
pub(crate) mod register {
    /// Capabilities, 64 bits as two halves.
    pub(crate) const CAP: usize = 0x00;
    /// Controller configuration.
    pub(crate) const CC: usize = 0x14;
    /// Controller status.
    pub(crate) const CSTS: usize = 0x1c;
    /// Sizes of the admin queues.
    pub(crate) const AQA: usize = 0x24;
    /// Address of the admin submission queue, 64 bits as two halves.
    pub(crate) const ASQ: usize = 0x28;
    /// Address of the admin completion queue, 64 bits as two halves.
    pub(crate) const ACQ: usize = 0x30;
    /// The first doorbell.
    pub(crate) const DOORBELLS: usize = 0x1000;
}

/// `CC`: enabled, NVM command set, pages of 4 KiB, entries of 64 and 16 bytes.
pub(crate) const CC_ENABLED: u32 = 6 << 16 | 4 << 20 | 1;
/// `CSTS`: the controller takes commands.
pub(crate) const CSTS_READY: u32 = 1 << 0;
/// `CSTS`: a fatal error, out of which only a reset leads.
pub(crate) const CSTS_FATAL: u32 = 1 << 1;
/// What a register reads as when nobody answers on the bus any more.
pub(crate) const GONE: u32 = u32::MAX;

/// Bytes of a page of the controller, as `CC_ENABLED` sets it.
pub(crate) const PAGE: usize = 4096;
/// Bytes of a submission queue entry, §4.2.
pub(crate) const COMMAND_LEN: usize = 64;
/// Bytes of a completion queue entry, §4.6.
pub(crate) const COMPLETION_LEN: usize = 16;

/// Admin commands, §5.
pub(crate) mod admin {
    pub(crate) const CREATE_SUBMISSION_QUEUE: u8 = 0x01;
    pub(crate) const CREATE_COMPLETION_QUEUE: u8 = 0x05;
    pub(crate) const IDENTIFY: u8 = 0x06;
    pub(crate) const SET_FEATURES: u8 = 0x09;
    /// Feature of `SET_FEATURES`: how many I/O queues the driver wants (§5.21.1.7).
    pub(crate) const NUMBER_OF_QUEUES: u32 = 0x07;
    /// `IDENTIFY`: a namespace.
    pub(crate) const OF_NAMESPACE: u32 = 0;
    /// `IDENTIFY`: the controller.
    pub(crate) const OF_CONTROLLER: u32 = 1;
    /// `IDENTIFY`: identifiers of the active namespaces, ascending.
    pub(crate) const ACTIVE_NAMESPACES: u32 = 2;
}

/// Commands of the NVM command set, §6.
pub(crate) mod io {
    pub(crate) const FLUSH: u8 = 0x00;
    pub(crate) const WRITE: u8 = 0x01;
    pub(crate) const READ: u8 = 0x02;
}

/// Status of a completion without the phase bit, §4.6.1: code, then its type.
pub(crate) mod status {
    /// Code and type; 0 is success.
    pub(crate) const CODE: u16 = 0x7ff;
    /// The namespace is write protected.
    pub(crate) const WRITE_PROTECTED: u16 = 0x020;
    /// The range is read only.
    pub(crate) const READ_ONLY_RANGE: u16 = 0x182;
    /// Repeating the command would fail again.
    pub(crate) const DO_NOT_RETRY: u16 = 1 << 14;
}

/// What `IDENTIFY` tells of the controller, §5.15.2.2. Byte offsets.
pub(crate) mod controller {
    /// Model number, ASCII padded with spaces.
    pub(crate) const MODEL: usize = 24;
    pub(crate) const MODEL_LEN: usize = 40;
    /// Longest transfer as a power of two of the smallest page; 0 for any.
    pub(crate) const MDTS: usize = 77;
    /// Bit 0: there is a volatile write cache.
    pub(crate) const VWC: usize = 525;
}

/// What `IDENTIFY` tells of a namespace, §5.15.2.1. Byte offsets.
pub(crate) mod namespace {
    /// Blocks, 64 bits.
    pub(crate) const NSZE: usize = 0;
    /// The low four bits are the number of the format in use.
    pub(crate) const FLBAS: usize = 26;
    /// Bit 0: write protected.
    pub(crate) const NSATTR: usize = 99;
    /// Formats of 32 bits: metadata bytes 16 bits, block length as a power of two 8 bits.
    pub(crate) const LBAF: usize = 128;
}
