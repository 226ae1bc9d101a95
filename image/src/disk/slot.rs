//! A slot's contents: header, signature, firmware.

use loader::{FIRMWARE_MAX, key::PublicKey};
use sha2::{Digest, Sha512};
use slots::header::PAYLOAD_SECTOR;
use slots::{Header, SECTOR, Version};

use super::{DiskError, PrivateKey};

/// The bytes of a slot with `firmware`, signed with `key`.
///
/// # Errors
/// [`DiskError::DoesNotFit`] for a firmware that is longer than a slot.
pub fn sign(
    firmware: &[u8],
    version: Version,
    build: [u8; 32],
    key: &PrivateKey,
) -> Result<Vec<u8>, DiskError> {
    if firmware.len() > FIRMWARE_MAX {
        return Err(DiskError::DoesNotFit("the firmware"));
    }
    let public = PublicKey::new(key.public()).ok_or(DiskError::NoKey("no public key"))?;
    let mut header = Header {
        version,
        payload_bytes: firmware.len() as u64,
        build,
        digest: Sha512::digest(firmware).into(),
        key_id: public.id(),
        signature: [0; 64],
    };
    header.signature = key.sign(&header.signed_bytes());
    let mut bytes = header.encode().to_vec();
    bytes.resize(PAYLOAD_SECTOR as usize * SECTOR, 0);
    bytes.extend_from_slice(firmware);
    bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
    Ok(bytes)
}
