//! What the box finds when it starts: a disk, stored text, a key store.

use std::sync::LazyLock;

use crc::{CRC_32_ISCSI, Crc};
use hal::disk::{Disk, DiskError, SECTOR_LEN};
use pki::{Curve, KeyPair, KeyStore};
use storage::startup::{Loaded, SLOT_SECTORS_MIN, Saved, Store, StoreError};

use crate::input::Input;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
const SECTORS: u64 = 2 * SLOT_SECTORS_MIN;
const SLOT_LEN: usize = SLOT_SECTORS_MIN as usize * SECTOR_LEN;

/// The first byte chooses what the rest is: sectors of two slots, slots whose checksums are put
/// right, stored text, or a key store.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 4 {
        0 => {
            let mut disk = Memory::new(SECTORS);
            let first = input.counted();
            disk.put(0, first);
            disk.put(SLOT_LEN, input.all());
            load_and_save(&mut disk);
        }
        1 => {
            let mut disk = Memory::new(SECTORS);
            for slot in [0, SLOT_LEN] {
                let generation = u64::from(input.word());
                let lie = u32::from(input.byte());
                let payload = input.counted();
                disk.put(slot, &header(generation, payload, lie));
                disk.put(slot + SECTOR_LEN, payload);
            }
            load_and_save(&mut disk);
        }
        2 => {
            if let Ok(text) = std::str::from_utf8(input.all()) {
                crate::command_line::load_text(text);
            }
        }
        _ => {
            let blob = input.all();
            if let Ok(keys) = KeyStore::from_blob(blob) {
                let again = KeyStore::from_blob(&keys.to_blob());
                let labels = |keys: &KeyStore| -> Vec<String> {
                    keys.iter().map(|pair| pair.label().to_owned()).collect()
                };
                assert_eq!(again.as_ref().map(labels), Ok(labels(&keys)));
            }
        }
    }
}

/// Whatever was found, the next save must load.
fn load_and_save(disk: &mut Memory) {
    let mut store = Store::new(disk).expect("the disk is large enough");
    let saved = match store.load(disk) {
        Loaded::Found { saved, .. } => saved,
        Loaded::Empty | Loaded::Damaged { .. } => Saved {
            text: "hostname asa1\n".to_owned(),
            keys: vec![1, 2, 3],
        },
    };
    match store.save(disk, &saved) {
        Ok(generation) => {
            let mut fresh = Store::new(disk).expect("the disk is as large as before");
            let loaded = fresh.load(disk);
            assert!(
                matches!(&loaded, Loaded::Found { saved: found, generation: of, .. }
                    if *of == generation && *found == saved),
                "saved generation {generation}, loaded {loaded:?}"
            );
        }
        Err(error) => assert!(
            matches!(
                error,
                StoreError::GenerationExhausted | StoreError::TooLarge { .. }
            ),
            "{error:?}"
        ),
    }
}

/// A slot header whose checksums are right; `lie` is added to the length.
fn header(generation: u64, payload: &[u8], lie: u32) -> [u8; SECTOR_LEN] {
    let mut sector = [0; SECTOR_LEN];
    let len = payload.len() as u32 + lie;
    sector[..8].copy_from_slice(b"SALLYCFG");
    sector[8..10].copy_from_slice(&1u16.to_le_bytes());
    sector[16..24].copy_from_slice(&generation.to_le_bytes());
    sector[24..28].copy_from_slice(&len.to_le_bytes());
    let mut covered = payload.to_vec();
    covered.resize(len as usize, 0);
    sector[28..32].copy_from_slice(&CRC.checksum(&covered).to_le_bytes());
    let sum = CRC.checksum(&sector[..SECTOR_LEN - 4]);
    sector[SECTOR_LEN - 4..].copy_from_slice(&sum.to_le_bytes());
    sector
}

/// A disk that never fails.
pub(crate) struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    pub(crate) fn new(sectors: u64) -> Self {
        Self {
            bytes: vec![0; sectors as usize * SECTOR_LEN],
        }
    }

    /// Writes `data` at a byte offset, as far as there is disk.
    pub(crate) fn put(&mut self, at: usize, data: &[u8]) {
        let place = &mut self.bytes[at..];
        let len = data.len().min(place.len());
        place[..len].copy_from_slice(&data[..len]);
    }

    fn range(&mut self, first: u64, len: usize) -> Result<&mut [u8], DiskError> {
        let start = usize::try_from(first)
            .ok()
            .and_then(|first| first.checked_mul(SECTOR_LEN))
            .ok_or(DiskError::OutOfRange)?;
        let end = start.checked_add(len).ok_or(DiskError::OutOfRange)?;
        if !len.is_multiple_of(SECTOR_LEN) {
            return Err(DiskError::Unaligned);
        }
        self.bytes.get_mut(start..end).ok_or(DiskError::OutOfRange)
    }
}

impl Disk for Memory {
    fn sectors(&self) -> u64 {
        (self.bytes.len() / SECTOR_LEN) as u64
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        data.copy_from_slice(self.range(first, data.len())?);
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        self.range(first, data.len())?.copy_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

static KEYS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut keys = KeyStore::new();
    for (label, curve) in [("K", Curve::P256), ("other", Curve::P384)] {
        let pair = KeyPair::generate_ecdsa(label, curve, 1_800_000_000).expect("good parameters");
        keys.insert(pair).expect("the store is empty");
    }
    keys.to_blob().to_vec()
});

/// A disk saved to once, good payloads, every text, a key store.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut disk = Memory::new(SECTORS);
    let mut store = Store::new(&disk).expect("the disk is large enough");
    let saved = Saved {
        text: crate::command_line::TEXTS.concat(),
        keys: KEYS.clone(),
    };
    store.load(&mut disk);
    store.save(&mut disk, &saved).expect("it fits");
    let slot = &disk.bytes[SLOT_LEN..SLOT_LEN + 8 * SECTOR_LEN];
    let whole = [&[0, 0, 0], slot].concat();
    // postcard: each part behind its length, here below 128.
    let payload = b"\x0ehostname asa1\n\x03abc";
    let fixed = [
        &[1, 0, 1, 0, 0, payload.len() as u8][..],
        payload,
        &[0, 2, 0, 0, payload.len() as u8],
        payload,
    ]
    .concat();
    let texts = crate::command_line::TEXTS
        .iter()
        .map(|text| [&[2], text.as_bytes()].concat());
    [whole, fixed, [&[3], KEYS.as_slice()].concat()]
        .into_iter()
        .chain(texts)
        .collect()
}
