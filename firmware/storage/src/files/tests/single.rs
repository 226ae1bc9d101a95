use super::*;
use hal::disk::DiskError;

fn disk_with(names: &[&str]) -> (SimDisk, FileSystem) {
    let mut disk = SimDisk::new(2_048, 3);
    let (mut files, mounted) = mount(&disk);
    assert_eq!(mounted, Mounted::Empty);
    for name in names {
        files.write(&mut disk, name, name.as_bytes(), 9).unwrap();
    }
    (disk, files)
}

#[test]
fn names_count_to_the_letter_and_replacing_is_asked_for() {
    let (mut disk, mut files) = disk_with(&["a", "A"]);
    assert_eq!(
        files.rename(&mut disk, "a", "A", false),
        Err(FileError::Exists)
    );
    assert_eq!(
        files.rename(&mut disk, "x", "y", true),
        Err(FileError::NotFound)
    );
    assert_eq!(
        files.write(&mut disk, "a/b", b"", 0),
        Err(FileError::Name(NameError::Character))
    );
    files.rename(&mut disk, "a", "A", true).unwrap();
    assert_eq!(files.read(&mut disk, "A", 10).unwrap(), b"a");
    assert!(files.find("a").is_none());
}

#[test]
fn the_directory_is_full_at_its_limit_and_replacing_still_works() {
    let (mut disk, mut files) = disk_with(&[]);
    for index in 0..FILES_MAX {
        let name = format!("{index:0>NAME_LEN_MAX$}");
        files.write(&mut disk, &name, b"x", u64::MAX).unwrap();
    }
    let error = files.write(&mut disk, "more", b"", 0).unwrap_err();
    assert_eq!(error.to_string(), "there are already 128 files");
    assert!(matches!(files.begin("more"), Err(FileError::TooManyFiles)));
    let name = format!("{:0>NAME_LEN_MAX$}", 7);
    files.write(&mut disk, &name, b"new", 1).unwrap();
    assert_eq!(mount(&disk).0.read(&mut disk, &name, 3).unwrap(), b"new");
}

#[test]
fn a_full_disk_says_both_figures_and_changes_nothing() {
    let (mut disk, mut files) = disk_with(&["a"]);
    let free = files.totals().free_bytes;
    let before = contents(&files, &disk);
    let error = files.write(&mut disk, "b", &vec![0; free as usize + 1], 0);
    let text = format!(
        "the disk has no room: {free} bytes free, {} needed",
        free + 1
    );
    assert_eq!(error.unwrap_err().to_string(), text);
    assert_eq!(contents(&files, &disk), before);
    files
        .write(&mut disk, "b", &vec![0; free as usize], 0)
        .unwrap();
    assert_eq!(files.totals().free_bytes, 0);
}

#[test]
fn an_upload_is_invisible_until_finished_and_keeps_its_sectors() {
    let (mut disk, mut files) = disk_with(&["a"]);
    let free = files.totals().free_bytes;
    let mut upload = files.begin("a").unwrap();
    let mut sent = Vec::new();
    for round in 0..100u8 {
        files
            .append(&mut disk, &mut upload, &[round; 1_024])
            .unwrap();
        sent.extend([round; 1_024]);
        files
            .write(&mut disk, "b", &[round; 3_000], 1)
            .unwrap_or_else(|error| {
                assert!(matches!(error, FileError::NoRoom { .. }), "{error}");
            });
        assert_eq!(files.read(&mut disk, "a", 10).unwrap(), b"a");
    }
    files.finish(&mut disk, upload, 5).unwrap();
    let (files, _) = mount(&disk);
    assert_eq!(files.read(&mut disk, "a", LIMIT).unwrap(), sent);
    let held: u64 = files
        .list()
        .iter()
        .map(|file| file.size_bytes().next_multiple_of(512))
        .sum();
    assert_eq!(files.totals().free_bytes, free + 512 - held);
}

#[test]
fn small_writes_beside_an_open_upload_find_room_on_a_larger_disk() {
    let mut disk = SimDisk::new(32_768, 3);
    let (mut files, _) = mount(&disk);
    let mut uploads: Vec<_> = (0..UPLOADS_MAX)
        .map(|index| files.begin(&format!("up {index}")).unwrap())
        .collect();
    assert!(matches!(
        files.begin("one more"),
        Err(FileError::TooManyUploads)
    ));
    for round in 0..200u8 {
        for (index, upload) in uploads.iter_mut().enumerate() {
            files
                .append(&mut disk, upload, &[round ^ index as u8; 1_000])
                .unwrap();
        }
        files
            .write(&mut disk, "beside", &[round; 5_000], 1)
            .unwrap();
    }
    for upload in uploads {
        files.finish(&mut disk, upload, 5).unwrap();
    }
    let (files, _) = mount(&disk);
    for index in 0..UPLOADS_MAX {
        let bytes = files
            .read(&mut disk, &format!("up {index}"), LIMIT)
            .unwrap();
        let expected: Vec<u8> = (0..200u8)
            .flat_map(|round| [round ^ index as u8; 1_000])
            .collect();
        assert_eq!(bytes, expected);
    }
    assert_eq!(
        files.read(&mut disk, "beside", LIMIT).unwrap(),
        [199; 5_000]
    );
}

#[test]
fn an_upload_too_long_is_refused_and_leaves_nothing() {
    let (mut disk, mut files) = disk_with(&["a"]);
    let free = files.totals().free_bytes;
    let mut upload = files.begin("big").unwrap();
    let refused = (0..2_000).find_map(|_| files.append(&mut disk, &mut upload, &[1; 1_024]).err());
    assert!(
        matches!(refused, Some(FileError::NoRoom { .. })),
        "{refused:?}"
    );
    assert_eq!(files.totals().free_bytes, 0);
    assert!(files.append(&mut disk, &mut upload, &[1]).is_err());
    upload.abandon();
    assert_eq!(files.totals().free_bytes, free);
    assert!(files.find("big").is_none());
}

#[test]
fn erasing_overwrites_everything_and_ends_uploads() {
    let (mut disk, mut files) = disk_with(&["secret"]);
    let mut upload = files.begin("late").unwrap();
    files.append(&mut disk, &mut upload, &[1; 2_000]).unwrap();
    files.erase(&mut disk).unwrap();
    assert_eq!(
        files.append(&mut disk, &mut upload, b"x"),
        Err(FileError::UploadLost)
    );
    assert!(
        disk.medium()
            .iter()
            .all(|sector| sector.iter().all(|&byte| byte == 0))
    );
    assert_eq!(mount(&disk).1, Mounted::Empty);
    files.write(&mut disk, "after", b"fine", 0).unwrap();
}

#[test]
fn wiping_overwrites_the_data_and_not_wiping_leaves_it() {
    for wipe in [false, true] {
        let mut disk = SimDisk::new(2_048, 3);
        let (mut files, _) = mount(&disk);
        files.write(&mut disk, "key", &[0xa5; 4_000], 0).unwrap();
        files.delete(&mut disk, "key", wipe).unwrap();
        let is_there = disk
            .medium()
            .iter()
            .any(|sector| sector[..100] == [0xa5; 100]);
        assert_eq!(is_there, !wipe);
    }
}

#[test]
fn a_damaged_directory_is_told_and_replaced_only_when_something_is_written() {
    let (mut disk, _) = disk_with(&["a", "b"]);
    for slot in area(&disk).directory {
        disk.flip(slot.first + 1, 3, 1);
    }
    let before = disk.medium();
    let (mut files, mounted) = mount(&disk);
    assert_eq!(
        mounted,
        Mounted::Damaged {
            slots: [SlotFault::PayloadChecksum; 2]
        }
    );
    assert!(files.list().is_empty() && disk.medium() == before);
    files.write(&mut disk, "c", b"new", 0).unwrap();
    assert_eq!(contents(&mount(&disk).0, &disk).len(), 1);
}

#[test]
fn a_disk_that_could_not_be_read_is_read_again_before_anything_is_written() {
    let (mut disk, _) = disk_with(&["a"]);
    disk.set_failure(Some(DiskError::Timeout));
    let (mut files, mounted) = mount(&disk);
    assert!(matches!(mounted, Mounted::Damaged { .. }));
    let refused = files.write(&mut disk, "b", b"b", 0);
    assert_eq!(refused, Err(FileError::Disk(DiskError::Timeout)));
    disk.set_failure(None);
    files.write(&mut disk, "b", b"b", 0).unwrap();
    let found = contents(&mount(&disk).0, &disk);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_reader_notices_that_its_file_was_replaced() {
    let (mut disk, mut files) = disk_with(&["a"]);
    let mut reader = files.open("a").unwrap();
    files.write(&mut disk, "a", b"other", 0).unwrap();
    let outcome = files.read_next(&mut disk, &mut reader, &mut [0; 9]);
    assert_eq!(outcome, Err(FileError::Changed));
    assert!(matches!(
        files.read(&mut disk, "a", 4),
        Err(FileError::TooLarge { .. })
    ));
}

#[test]
fn a_directory_that_contradicts_itself_is_refused() {
    let file = |name: &str, first, sectors, size_bytes| File {
        name: name.into(),
        size_bytes,
        modified_unix_secs: 0,
        crc: 0,
        runs: vec![Run { first, sectors }],
    };
    let judge = |files: Vec<File>| {
        let bytes = postcard::to_allocvec(&Directory { files }).unwrap();
        Directory::decode(&bytes, 100).is_some()
    };
    assert!(judge(vec![
        file("a", 0, 2, 1_000),
        file("b", 2, 98, 98 * 512)
    ]));
    assert!(
        !judge(vec![file("a", 0, 2, 1_000), file("b", 1, 1, 512)]),
        "overlap"
    );
    assert!(
        !judge(vec![file("a", 0, 2, 1_000), file("a", 2, 1, 512)]),
        "same name"
    );
    assert!(!judge(vec![file("a", 99, 2, 1_000)]), "beyond the end");
    assert!(!judge(vec![file("a", u32::MAX, 2, 1_000)]), "far beyond");
    assert!(!judge(vec![file("a", 0, 2, 512)]), "sectors to spare");
    assert!(!judge(vec![file("a", 0, 2, u64::MAX)]), "size beyond");
    assert!(!judge(vec![file("", 0, 2, 1_000)]), "no name");
}
