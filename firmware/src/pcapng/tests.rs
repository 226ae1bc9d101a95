//! What is written, as another program's reader has it.

use super::*;
use core::time::Duration;
use dataplane::{DropReason, PortId};
use hal::time::Instant;
use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::blocks::section_header::SectionHeaderOption;
use pcap_file::pcapng::{Block, PcapNgReader};

fn seen(point: CapturePoint, port: Option<PortId>, frame_len: u32) -> CapturedFrame {
    CapturedFrame {
        number: 0,
        at: Instant::ZERO,
        port,
        point,
        frame_len,
    }
}

#[test]
fn another_reader_finds_what_was_captured() {
    let port = Some(PortId(1));
    let frames = [
        (
            seen(CapturePoint::Received, port, 61),
            0u32,
            &[0xab; 61][..],
        ),
        (seen(CapturePoint::Sent, Some(PortId(0)), 1500), 1, &[1; 64]),
        (
            seen(CapturePoint::Dropped(DropReason::TcpNotSyn), port, 3),
            0,
            &[7, 8, 9],
        ),
        (
            seen(CapturePoint::Dropped(DropReason::NoRoute), None, 0),
            2,
            &[],
        ),
    ];
    // 2026-01-15T09:12:01.204410Z.
    let start = 1_768_468_321_204_410;
    let mut file = Vec::new();
    section(&mut file, "Sallyport 0.1.0", Some("not set"));
    for (name, kept_max) in [("inside", 1518), ("outside", 64), ("box", 1518)] {
        interface(&mut file, name, kept_max);
    }
    for (index, (frame, interface, bytes)) in (0..).zip(&frames) {
        packet(&mut file, *interface, start + index, frame, bytes);
    }

    let mut reader = PcapNgReader::new(file.as_slice()).expect("a section");
    let options = reader.section().options.clone();
    assert!(options.contains(&SectionHeaderOption::UserApplication(
        "Sallyport 0.1.0".into()
    )));
    assert!(options.contains(&SectionHeaderOption::Comment("not set".into())));
    let mut read = Vec::new();
    while let Some(block) = reader.next_block() {
        match block.expect("a block") {
            Block::InterfaceDescription(_) => {}
            Block::EnhancedPacket(block) => {
                let flags = block.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Flags(flags) => Some(*flags),
                    _ => None,
                });
                let comment = block.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Comment(comment) => Some(String::from(&**comment)),
                    _ => None,
                });
                read.push((
                    block.interface_id,
                    block.timestamp,
                    block.original_len,
                    block.data.to_vec(),
                    flags.expect("flags"),
                    comment,
                ));
            }
            other => panic!("{other:?}"),
        }
    }
    let names: Vec<_> = reader
        .interfaces()
        .iter()
        .map(|interface| {
            assert_eq!(interface.linktype, DataLink::ETHERNET);
            assert!(
                interface
                    .options
                    .contains(&InterfaceDescriptionOption::IfTsResol(6))
            );
            let name = interface.options.iter().find_map(|option| match option {
                InterfaceDescriptionOption::IfName(name) => Some(String::from(&**name)),
                _ => None,
            });
            (name.expect("a name"), interface.snaplen)
        })
        .collect();
    assert_eq!(
        names,
        [
            ("inside".into(), 1518),
            ("outside".into(), 64),
            ("box".into(), 1518)
        ]
    );
    let directions = [1, 2, 1, 0];
    let comments = [
        None,
        None,
        Some("Drop-reason: (tcp-not-syn) First TCP packet not SYN"),
        Some("Drop-reason: (no-route) No route to host"),
    ];
    assert_eq!(read.len(), frames.len());
    for (index, ((frame, interface, bytes), read)) in frames.iter().zip(read).enumerate() {
        let (id, at, len, data, flags, comment) = read;
        assert_eq!((id, len), (*interface, frame.frame_len), "{index}");
        // This reader counts nanoseconds, whatever the resolution that the interface names.
        assert_eq!(at, Duration::from_nanos(start + index as u64));
        assert_eq!(data, *bytes);
        assert_eq!(flags, directions[index]);
        assert_eq!(comment.as_deref(), comments[index]);
    }
}

#[test]
fn every_block_is_a_multiple_of_four_long() {
    for len in 0..9 {
        let mut file = Vec::new();
        let frame = seen(CapturePoint::Received, None, len as u32);
        packet(&mut file, 0, 0, &frame, &[0; 9][..len]);
        assert_eq!(file.len() % 4, 0);
        assert_eq!(file[4..8], (file.len() as u32).to_le_bytes());
        assert_eq!(file[file.len() - 4..], file[4..8]);
    }
}
