//! The image in the format of QEMU and what is built on it (QEMU `docs/interop/qcow2.txt`, version 3).
//!
//! ```text
//! cluster 0       1               2               3         4         5…
//!         header  refcount table  refcount block  L1 table  L2 table  data
//! ```
//!
//! One table of each level is enough for 512 MiB; clusters of zeros are not stored.

const CLUSTER_BITS: u32 = 16;
const CLUSTER: usize = 1 << CLUSTER_BITS;
const REFCOUNT_TABLE: u64 = 1;
const REFCOUNT_BLOCK: u64 = 2;
const L1: u64 = 3;
const L2: u64 = 4;
const DATA: u64 = 5;
/// Entries of an L2 table.
const L2_ENTRIES: usize = CLUSTER / 8;
/// Table entry: the cluster is referred to once.
const COPIED: u64 = 1 << 63;

/// Converts an image; `None` if it is larger than one L2 table describes.
#[must_use]
pub fn convert(image: &[u8]) -> Option<Vec<u8>> {
    if image.len() > L2_ENTRIES * CLUSTER {
        return None;
    }
    let mut out = vec![0; DATA as usize * CLUSTER];
    let mut used = DATA;
    for (index, cluster) in image.chunks(CLUSTER).enumerate() {
        if cluster.iter().all(|&byte| byte == 0) {
            continue;
        }
        out.extend_from_slice(cluster);
        out.resize(out.len().next_multiple_of(CLUSTER), 0);
        put(
            &mut out,
            at(L2) + index * 8,
            &(offset(used) | COPIED).to_be_bytes(),
        );
        used += 1;
    }
    put(&mut out, at(L1), &(offset(L2) | COPIED).to_be_bytes());
    put(
        &mut out,
        at(REFCOUNT_TABLE),
        &offset(REFCOUNT_BLOCK).to_be_bytes(),
    );
    for cluster in 0..used as usize {
        put(
            &mut out,
            at(REFCOUNT_BLOCK) + cluster * 2,
            &1_u16.to_be_bytes(),
        );
    }
    put(&mut out, 0, b"QFI\xfb");
    for (place, value) in [
        (4, 3_u32),
        (20, CLUSTER_BITS),
        // L1 entries, clusters of the refcount table, refcounts of 2^4 bits, length of the header.
        (36, 1),
        (56, 1),
        (96, 4),
        (100, 104),
    ] {
        put(&mut out, place, &value.to_be_bytes());
    }
    for (place, value) in [
        (24, image.len() as u64),
        (40, offset(L1)),
        (48, offset(REFCOUNT_TABLE)),
    ] {
        put(&mut out, place, &value.to_be_bytes());
    }
    Some(out)
}

fn offset(cluster: u64) -> u64 {
    cluster << CLUSTER_BITS
}

fn at(cluster: u64) -> usize {
    offset(cluster) as usize
}

fn put(out: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in out.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}
