//! Five hundred saves and more, each cut somewhere.

use super::*;
use hal_sim::disk::{Cut, SimDisk};
use hal_sim::random::SplitMix;

#[test]
fn a_cut_save_leaves_the_old_configuration_or_the_new_one_and_the_files_alone() {
    let mut random = SplitMix::new(42);
    let mut disk = SimDisk::new(2_048, 42);
    let beside = Layout::new(Extent::whole(&disk)).unwrap().startup[1];
    let beyond = (beside.first + beside.sectors) as usize;
    disk.write(beyond as u64, &[0x5a; 1_024 * SECTOR_LEN])
        .unwrap();
    disk.flush().unwrap();
    let mut store = Store::new(&disk).unwrap();
    store.load(&mut disk);
    let mut kept: Option<Saved> = None;
    let (mut old, mut new, mut finished) = (0, 0, 0);
    for cycle in 0..1_000u32 {
        let len = random.below(20_000) as usize;
        let next = Saved {
            text: format!("hostname box{cycle}\n").repeat(1 + len / 20),
            keys: cycle.to_le_bytes().repeat(30),
        };
        disk.cut_power(if random.chance(600) {
            Cut::AfterSectors(random.below(50))
        } else {
            Cut::DuringFlush(random.below(3))
        });
        let outcome = store.save(&mut disk, &next);
        if !disk.is_powered() || random.chance(300) {
            disk.restore_power();
            store = Store::new(&disk).unwrap();
        }
        disk.restore_power();
        let found = match store.load(&mut disk) {
            Loaded::Found { saved, .. } => Some(saved),
            Loaded::Empty | Loaded::Damaged { .. } => None,
        };
        if outcome.is_ok() {
            assert_eq!(found.as_ref(), Some(&next));
            finished += 1;
        } else if found == kept {
            old += 1;
        } else {
            assert_eq!(
                found.as_ref(),
                Some(&next),
                "cycle {cycle}: neither old nor new"
            );
            new += 1;
        }
        kept = found;
    }
    println!(
        "of the cut saves {old} left the old configuration and {new} the new one; {finished} finished"
    );
    assert!(
        old > 300 && new > 20 && finished > 50,
        "{old} {new} {finished}"
    );
    assert!(
        disk.medium()[beyond..]
            .iter()
            .all(|sector| *sector == [0x5a; SECTOR_LEN])
    );
}
