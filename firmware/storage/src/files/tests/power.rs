//! Power cuts, with unflushed sectors kept or lost by seed, and flipped bits.

use super::*;
use hal::disk::DiskError;
use hal_sim::disk::Cut;

const CYCLES: u64 = 1_500;

/// Every cycle changes something and cuts the power somewhere within, or not at all.
#[test]
fn a_cut_leaves_the_old_files_or_the_new_ones() {
    let mut random = SplitMix::new(20_260_401);
    let mut disk = SimDisk::new(2_048, 7);
    let (mut files, _) = mount(&disk);
    let mut model = Model::new();
    let (mut old, mut new, mut finished) = (0, 0, 0);
    for cycle in 0..CYCLES {
        let change = Change::random(&mut random, cycle);
        let mut changed = model.clone();
        change.apply_to(&mut changed);
        if changed == model {
            continue;
        }
        disk.cut_power(if random.chance(700) {
            Cut::AfterSectors(random.below(90))
        } else {
            Cut::DuringFlush(random.below(3))
        });
        let outcome = change.apply(&mut files, &mut disk);
        let was_cut = !disk.is_powered();
        disk.restore_power();
        if was_cut {
            files = mount(&disk).0;
        }
        let found = contents(&files, &disk);
        match outcome {
            Ok(()) => {
                assert_eq!(found, changed, "{cycle}: {change:?}");
                finished += 1;
            }
            Err(FileError::NoRoom { .. } | FileError::Fragmented) => assert_eq!(found, model),
            Err(error) => {
                assert_eq!(error, FileError::Disk(DiskError::Device));
                assert!(
                    found == model || found == changed,
                    "{cycle}: neither old nor new"
                );
                if found == model {
                    old += 1;
                } else {
                    new += 1;
                }
            }
        }
        model = found;
    }
    println!(
        "of the cut changes {old} left the old files and {new} the new ones; {finished} finished"
    );
    assert!(
        old > 100 && new > 20 && finished > 100,
        "{old} {new} {finished}"
    );
    assert!(old + new + finished > 500);
}

/// The disk fails and works again without a restart: the directory that failed to be written may count
/// or not, and what follows must not destroy it.
#[test]
fn after_a_failed_change_the_disk_is_asked_again() {
    let mut random = SplitMix::new(99);
    let (mut old, mut new) = (0, 0);
    for seed in 0..300 {
        let mut disk = SimDisk::new(2_048, seed);
        let (mut files, _) = mount(&disk);
        files.write(&mut disk, "a", &[1; 9_000], 1).unwrap();
        files.write(&mut disk, "b", &[2; 9_000], 1).unwrap();
        disk.cut_power(Cut::DuringFlush(random.below(2)));
        let outcome = files.write(&mut disk, "a", &[3; 9_000], 2);
        assert_eq!(outcome, Err(FileError::Disk(DiskError::Device)));
        disk.restore_power();
        // A change that is cut too, and would like the sectors of the new "a".
        disk.cut_power(Cut::AfterSectors(1 + random.below(40)));
        let _ = files.write(&mut disk, "c", &[4; 9_000], 3);
        if disk.is_powered() {
            disk.cut_power_now();
        }
        disk.restore_power();
        let found = contents(&mount(&disk).0, &disk);
        assert_eq!(found["b"].0, [2; 9_000]);
        match found["a"].0[0] {
            1 => old += 1,
            _ => new += 1,
        }
        assert!(found["a"].0 == [1; 9_000] || found["a"].0 == [3; 9_000]);
    }
    println!("{old} kept the old file, {new} the new one");
    assert!(old > 0 && new > 0);
}

/// One bit of any sector: the content is right, or the damage has a name.
#[test]
fn a_flipped_bit_is_named_and_never_read_as_data() {
    let mut disk = SimDisk::new(2_048, 5);
    let (mut files, _) = mount(&disk);
    let mut random = SplitMix::new(5);
    let bodies = [3_000, 700, 12_345].map(|len| noise(&mut random, len));
    for (index, body) in bodies.iter().enumerate() {
        files
            .write(&mut disk, &format!("f{index}"), body, 0)
            .unwrap();
    }
    let (mut harmless, mut named, mut fallen_back) = (0, 0, 0);
    for sector in 0..2_048 {
        let (offset, mask) = (random.below(512) as usize, 1 << random.below(8));
        disk.flip(sector, offset, mask);
        let (files, mounted) = mount(&disk);
        let Mounted::Found { other_slot, .. } = mounted else {
            panic!("the other directory is whole: {mounted}");
        };
        fallen_back += usize::from(other_slot.is_some());
        let mut is_named = other_slot.is_some();
        for (index, body) in bodies.iter().enumerate() {
            match files.read(&mut disk.clone(), &format!("f{index}"), LIMIT) {
                Ok(bytes) => assert_eq!(bytes, *body),
                Err(FileError::Damaged) => is_named = true,
                Err(FileError::NotFound) => assert!(other_slot.is_some() && index == 2),
                Err(error) => panic!("{error}"),
            }
        }
        if is_named {
            named += 1;
        } else {
            harmless += 1;
        }
        disk.flip(sector, offset, mask);
    }
    println!(
        "{named} flips were named ({fallen_back} in a directory), {harmless} hit nothing kept"
    );
    assert!(named >= 30 && harmless > 0 && fallen_back >= 2);
}
