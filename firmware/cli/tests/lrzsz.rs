//! Requirement: files cross to and from the `sx` and `rx` programs of lrzsz. Needs: those programs, else
//! the tests say that they were skipped. Takes about a second.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Channel, RecvTimeoutError, channel};
use std::time::{Duration, Instant as HostInstant};

use cli::xmodem::{Padding, ReceiveEvent, Receiver, SendEvent, Sender};
use hal::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);

/// A program of lrzsz whose line is a pair of pipes.
struct Peer {
    child: Child,
    bytes: Channel<Vec<u8>>,
    started: HostInstant,
}

impl Peer {
    /// Starts the program; `None` if it is not installed.
    fn start(program: &str, arguments: &[&str]) -> Option<Self> {
        let spawned = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                println!("SKIPPED: {program} does not start ({error}); install lrzsz");
                return None;
            }
        };
        let mut output = child.stdout.take().unwrap();
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count) = output.read(&mut chunk) {
                if count == 0 || sender.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            child,
            bytes,
            started: HostInstant::now(),
        })
    }

    fn now(&self) -> Instant {
        let elapsed = self.started.elapsed();
        assert!(elapsed < PATIENCE, "the transfer hangs");
        Instant::ZERO + elapsed
    }

    fn send(&mut self, bytes: &[u8]) {
        // A program that has ended does not read; the transfer then says so itself.
        let input = self.child.stdin.as_mut().unwrap();
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    /// Bytes from the program, or none when `deadline` has come.
    fn hear(&self, deadline: Option<Instant>) -> Vec<u8> {
        let wait = deadline.map_or(Duration::ZERO, |at| at.since(self.now()));
        match self.bytes.recv_timeout(wait) {
            Ok(bytes) => bytes,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(wait);
                Vec::new()
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of the test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("sallyport-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn file(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * at / 7 + at) as u8 | 0x20).collect()
}

/// Receives `file` from `sx`; also checks how it greets.
fn receive(arguments: &[&str], file: &[u8]) {
    let scratch = Scratch::new(&format!("sx-{}-{}", arguments.len(), file.len()));
    std::fs::write(&scratch.0, file).unwrap();
    let arguments: Vec<&str> = arguments.iter().copied().chain([scratch.path()]).collect();
    let Some(mut peer) = Peer::start("sx", &arguments) else {
        return;
    };
    let mut receiver = Receiver::new(1 << 20, Padding::Strip, peer.now());
    let (mut data, mut first) = (Vec::new(), None);
    loop {
        while let Some(bytes) = receiver.poll_transmit() {
            peer.send(bytes);
        }
        while let Some(event) = receiver.poll_event() {
            match event {
                ReceiveEvent::Data(part) => data.extend(part),
                ReceiveEvent::Done { bytes, .. } => {
                    assert_eq!(bytes, file.len());
                    assert!(data == file, "what arrived differs");
                    // It begins with the kind, number and complement of the first block.
                    let is_long = arguments.contains(&"-k") && file.len() > 896;
                    assert_eq!(first, Some(if is_long { 2 } else { 1 }));
                    assert!(peer.child.wait().unwrap().success());
                    return;
                }
                ReceiveEvent::Failed(failure) => panic!("{failure}"),
            }
        }
        for byte in peer.hear(receiver.poll_timeout()) {
            first.get_or_insert(byte);
            receiver.handle_byte(byte, peer.now());
        }
        receiver.handle_timeout(peer.now());
    }
}

/// Sends `file` to `rx`.
fn send(arguments: &[&str], file: &[u8]) {
    let scratch = Scratch::new(&format!("rx-{}-{}", arguments.len(), file.len()));
    let arguments: Vec<&str> = arguments.iter().copied().chain([scratch.path()]).collect();
    let Some(mut peer) = Peer::start("rx", &arguments) else {
        return;
    };
    let mut sender = Sender::new(file, peer.now());
    loop {
        while let Some(bytes) = sender.poll_transmit(peer.now()).map(<[u8]>::to_vec) {
            peer.send(&bytes);
        }
        match sender.poll_event() {
            Some(SendEvent::Done { bytes, .. }) => {
                assert_eq!(bytes, file.len());
                assert!(peer.child.wait().unwrap().success());
                let mut kept = std::fs::read(&scratch.0).unwrap();
                assert_eq!(kept.len() % 128, 0);
                kept.truncate(kept.iter().rposition(|&byte| byte != 0x1a).unwrap() + 1);
                assert!(kept == file, "what arrived differs");
                return;
            }
            Some(SendEvent::Failed(failure)) => panic!("{failure}"),
            None => {}
        }
        for byte in peer.hear(sender.poll_timeout()) {
            sender.handle_byte(byte, peer.now());
        }
        sender.handle_timeout(peer.now());
    }
}

#[test]
fn sx_sends_short_blocks() {
    receive(&["-b"], &file(5_000));
}

#[test]
fn sx_sends_1k_blocks() {
    receive(&["-b", "-k"], &file(300_000));
}

#[test]
fn sx_sends_a_short_file() {
    receive(&["-b", "-k"], &file(3));
}

#[test]
fn rx_takes_a_file_with_checksums() {
    send(&["-b"], &file(5_000));
}

#[test]
fn rx_takes_a_file_with_crc_and_1k_blocks() {
    send(&["-b", "-c"], &file(300_000));
}
