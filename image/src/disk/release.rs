//! The files of a release.
//!
//! | File | Holds |
//! | --- | --- |
//! | `sallyport.img` | the image, for disks and USB sticks |
//! | `sallyport.iso` | the same bytes: the image is a CD as well |
//! | `sallyport.qcow2` | the image for QEMU and what is built on it |
//! | `sallyport.img.zst` | the image compressed (RFC 8878) |
//! | `sallyport.sha256` | their digests, as `sha256sum --check` reads them |
//! | `sallyport.sha256.sig` | an Ed25519 signature of that file |
//! | `sallyport.public.pem` | the public key that made it |

use std::fs;
use std::path::{Path, PathBuf};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest, Sha256};

use super::{DiskError, Medium, PrivateKey, qcow2};

/// Name of the image.
pub const DISK_NAME: &str = "sallyport.img";
/// Name of the CD image.
pub const CD_NAME: &str = "sallyport.iso";
/// Name of the image for QEMU.
pub const QCOW2_NAME: &str = "sallyport.qcow2";
/// Name of the compressed image.
pub const COMPRESSED_NAME: &str = "sallyport.img.zst";
/// Name of the list of digests.
pub const DIGESTS_NAME: &str = "sallyport.sha256";
/// Name of its signature.
pub const SIGNATURE_NAME: &str = "sallyport.sha256.sig";
/// Name of the public key.
pub const PUBLIC_KEY_NAME: &str = "sallyport.public.pem";

/// Writes all files into `directory`; returns each with its length in bytes.
///
/// # Errors
/// [`DiskError::File`].
pub fn write(
    image: &Medium,
    key: &PrivateKey,
    directory: &Path,
) -> Result<Vec<(PathBuf, u64)>, DiskError> {
    let image = image.bytes();
    let qcow2 = qcow2::convert(image).ok_or(DiskError::DoesNotFit("the image"))?;
    let compressed = compress_to_vec(image, CompressionLevel::Fastest);
    let images: [(&str, &[u8]); 4] = [
        (DISK_NAME, image),
        (CD_NAME, image),
        (QCOW2_NAME, &qcow2),
        (COMPRESSED_NAME, &compressed),
    ];
    let digests: String = images
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", hexadecimal(&Sha256::digest(bytes))))
        .collect();
    let signature = key.sign(digests.as_bytes());
    let public = key.public_pem();
    let others: [(&str, &[u8]); 3] = [
        (DIGESTS_NAME, digests.as_bytes()),
        (SIGNATURE_NAME, &signature),
        (PUBLIC_KEY_NAME, public.as_bytes()),
    ];
    let mut written = Vec::new();
    for (name, bytes) in images.into_iter().chain(others) {
        let path = directory.join(name);
        fs::write(&path, bytes).map_err(|source| DiskError::File {
            path: path.clone(),
            source,
        })?;
        written.push((path, bytes.len() as u64));
    }
    Ok(written)
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
