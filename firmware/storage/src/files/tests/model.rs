use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_changes_leave_what_the_model_has(seed in any::<u64>()) {
        let mut random = SplitMix::new(seed);
        let mut disk = SimDisk::new(2_048, seed);
        let mut model = Model::new();
        let (mut files, _) = mount(&disk);
        for now in 0..30 {
            let change = Change::random(&mut random, now);
            match change.apply(&mut files, &mut disk) {
                Ok(()) => change.apply_to(&mut model),
                Err(FileError::NoRoom { free_bytes, .. }) => prop_assert!(free_bytes < 80_000),
                Err(FileError::NotFound) => prop_assert!(
                    matches!(change, Change::Delete(name, _) | Change::Rename(name, _) if !model.contains_key(&name))
                ),
                Err(FileError::Fragmented) => {}
                Err(error) => prop_assert!(false, "{change:?}: {error}"),
            }
            files = mount(&disk).0;
            prop_assert_eq!(&contents(&files, &disk), &model);
            let held: u64 = model.values().map(|(bytes, _)| bytes.len().next_multiple_of(512) as u64).sum();
            let totals = files.totals();
            prop_assert_eq!(totals.free_bytes, totals.total_bytes - held);
        }
    }

    #[test]
    fn a_file_read_in_blocks_is_the_file(len in 0usize..5_000, block in 1usize..1_700, seed: u64) {
        let mut disk = SimDisk::new(2_048, seed);
        let bytes = noise(&mut SplitMix::new(seed), len);
        let (mut files, _) = mount(&disk);
        // Deleting every other file leaves gaps to lie in.
        for index in 0..40 {
            files.write(&mut disk, &format!("gap {index}"), &[7; 20_000], 0).ok();
        }
        for index in (0..40).step_by(2) {
            files.delete(&mut disk, &format!("gap {index}"), false).ok();
        }
        files.write(&mut disk, "file", &bytes, 1).unwrap();
        let mut reader = files.open("file").unwrap();
        let mut back = Vec::new();
        loop {
            let mut space = vec![0; block];
            let count = files.read_next(&mut disk, &mut reader, &mut space).unwrap();
            back.extend_from_slice(&space[..count]);
            if count < block {
                break;
            }
        }
        prop_assert_eq!(reader.offset(), len as u64);
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn arbitrary_directories_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Directory::decode(&bytes, 100);
    }
}
