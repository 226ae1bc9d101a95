//! A network port over a Linux TAP device, for runs of the firmware as an ordinary process.
//!
//! The device is opened without blocking and read straight into packet buffers. There are no
//! interrupts: a process that wants to sleep waits on the file descriptor ([`TapNic::as_raw_fd`]).
//! Arming reads one frame ahead, because the kernel cannot be asked whether one waits without a
//! system call that this saves.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use hal::nic::{Link, MacAddr, Nic, NicStats};
use hal::packet::{Batch, HEADROOM, PacketBuf, PacketPool};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// More frames than a TAP device queues (`txqueuelen` is 1,000 by default).
const STALE_MAX: u32 = 10_000;

/// A network port at the box's side of a TAP device.
pub struct TapNic {
    device: SyncDevice,
    mac: MacAddr,
    is_started: bool,
    /// The buffer that is read into next.
    spare: Option<PacketBuf>,
    /// A frame that arming read ahead.
    ahead: Option<PacketBuf>,
    stats: NicStats,
}

/// What a read gave.
enum Read {
    Frame(PacketBuf),
    Lost,
    Nothing,
}

impl TapNic {
    /// Opens the TAP device `name`, making it if there is none (which needs `CAP_NET_ADMIN`).
    ///
    /// `mac` is the port's address; it must differ from the one the kernel uses at its side. Whether
    /// the device is up is left as it is.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn open(name: &str, mac: MacAddr) -> io::Result<Self> {
        let device = DeviceBuilder::new()
            .name(name)
            .layer(Layer::L2)
            .inherit_enable_state()
            .build_sync()?;
        device.set_nonblocking(true)?;
        Ok(Self {
            device,
            mac,
            is_started: false,
            spare: None,
            ahead: None,
            stats: NicStats::default(),
        })
    }

    fn read(&mut self, pool: &mut PacketPool) -> Read {
        if self.spare.is_none() {
            self.spare = pool.take();
        }
        let Some(mut buf) = self.spare.take() else {
            return self.read_away();
        };
        match self.read_into(&mut buf) {
            Some(true) => Read::Frame(buf),
            Some(false) => {
                self.spare = Some(buf);
                Read::Lost
            }
            None => {
                self.spare = Some(buf);
                Read::Nothing
            }
        }
    }

    /// Reads a frame into `buf`: true if it is whole, false if it is lost, `None` if none waits.
    fn read_into(&mut self, buf: &mut PacketBuf) -> Option<bool> {
        let room = buf.storage_mut().get_mut(HEADROOM..).unwrap_or_default();
        let room_len = room.len();
        match self.device.recv(room) {
            // The kernel cuts a frame that is too long to the buffer, without saying so.
            Ok(len) if len == 0 || len >= room_len => {
                self.stats.rx_errors += 1;
                Some(false)
            }
            Ok(len) => {
                buf.set_range(HEADROOM, HEADROOM + len);
                Some(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            // Mostly "file descriptor in bad state": the device is down.
            Err(_) => None,
        }
    }

    /// Reads a frame for which there is no buffer, so that the newest ones, not the oldest, are
    /// there when there are buffers again.
    fn read_away(&mut self) -> Read {
        match self.device.recv(&mut [0; 1]) {
            Ok(_) => {
                self.stats.rx_no_buffer += 1;
                Read::Lost
            }
            Err(_) => Read::Nothing,
        }
    }

    fn deliver(&mut self, frame: PacketBuf, frames: &mut Batch, pool: &mut PacketPool) {
        self.stats.rx_packets += 1;
        self.stats.rx_bytes += frame.len() as u64;
        if let Err(frame) = frames.push_back(frame) {
            pool.free(frame);
        }
    }

    /// Sends one frame: false if the kernel's queue is full.
    fn send(&mut self, frame: &PacketBuf) -> bool {
        let sent = if frame.is_chained() {
            let bytes: Vec<u8> = frame.segments().flatten().copied().collect();
            self.device.send(&bytes)
        } else {
            self.device.send(frame.bytes())
        };
        match sent {
            Ok(_) => {
                self.stats.tx_packets += 1;
                self.stats.tx_bytes += frame.frame_len() as u64;
                true
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

impl AsRawFd for TapNic {
    fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }
}

impl Nic for TapNic {
    fn model(&self) -> &'static str {
        "tap"
    }

    fn mac(&self) -> MacAddr {
        self.mac
    }

    fn link(&mut self) -> Link {
        Link {
            is_up: self.device.is_running().unwrap_or(false),
            speed_mbps: None,
            full_duplex: true,
        }
    }

    fn stats(&self) -> NicStats {
        self.stats
    }

    /// Throws away what the kernel had queued before.
    fn start(&mut self, pool: &mut PacketPool) {
        if !self.is_started {
            let stale = (0..STALE_MAX).take_while(|_| self.device.recv(&mut [0; 1]).is_ok());
            stale.for_each(drop);
        }
        self.is_started = true;
        self.spare = self.spare.take().or_else(|| pool.take());
    }

    fn stop(&mut self, pool: &mut PacketPool) {
        self.is_started = false;
        for buf in [self.spare.take(), self.ahead.take()].into_iter().flatten() {
            pool.free(buf);
        }
    }

    fn receive(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        if !self.is_started {
            return;
        }
        if !frames.is_full()
            && let Some(frame) = self.ahead.take()
        {
            self.deliver(frame, frames, pool);
        }
        while !frames.is_full() {
            match self.read(pool) {
                Read::Frame(frame) => self.deliver(frame, frames, pool),
                Read::Lost => {}
                Read::Nothing => return,
            }
        }
    }

    fn transmit(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        while self.is_started
            && let Some(frame) = frames.pop_front()
        {
            if self.send(&frame) {
                pool.free(frame);
            } else {
                if let Err(frame) = frames.push_front(frame) {
                    pool.free(frame);
                }
                break;
            }
        }
        self.stats.tx_ring_full += frames.len() as u64;
    }

    fn arm_interrupt(&mut self) -> bool {
        if !self.is_started {
            return true;
        }
        if self.ahead.is_none()
            && let Some(mut buf) = self.spare.take()
        {
            match self.read_into(&mut buf) {
                Some(true) => self.ahead = Some(buf),
                _ => self.spare = Some(buf),
            }
        }
        self.ahead.is_none()
    }

    fn disarm_interrupt(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 5]);

    fn run(line: &str) {
        let mut words = line.split(' ');
        let program = words.next().expect("a program");
        let status = Command::new(program).args(words).status().expect("started");
        assert!(status.success(), "{line}");
    }

    fn next_frame(nic: &mut TapNic, pool: &mut PacketPool, kind: [u8; 2]) -> Vec<u8> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut frames = Batch::new();
        while Instant::now() < deadline {
            nic.receive(&mut frames, pool);
            while let Some(frame) = frames.pop_front() {
                let bytes = frame.bytes().to_vec();
                pool.free(frame);
                if bytes[12..14] == kind {
                    return bytes;
                }
            }
            let _ = nic.arm_interrupt();
        }
        unreachable!("no frame of kind {kind:?} within five seconds");
    }

    fn send(nic: &mut TapNic, pool: &mut PacketPool, bytes: &[u8]) {
        let mut frame = pool.take().expect("a buffer");
        assert!(frame.extend(bytes));
        let mut frames = Batch::new();
        frames.push_back(frame).expect("room");
        nic.transmit(&mut frames, pool);
        assert!(frames.is_empty());
    }

    /// The kernel asks who has 192.0.2.2, is answered, and gets its datagram echoed.
    #[test]
    #[ignore = "needs CAP_NET_ADMIN: sudo unshare -n cargo test -p hal-sim -- --ignored"]
    fn frames_go_to_the_kernel_and_come_back() {
        let mut nic = TapNic::open("spsim0", MAC).expect("a TAP device");
        assert!(!nic.link().is_up);
        run("ip address add 192.0.2.1/24 dev spsim0");
        run("ip link set spsim0 up");
        assert!(nic.link().is_up);
        let mut pool = PacketPool::new(8);
        nic.start(&mut pool);
        let socket = UdpSocket::bind("192.0.2.1:4000").expect("bound");
        socket.send_to(b"echo this", "192.0.2.2:7").expect("sent");
        let mut reply = next_frame(&mut nic, &mut pool, [8, 6]);
        let asker: [u8; 6] = reply[6..12].try_into().expect("six bytes");
        reply[0..6].copy_from_slice(&asker);
        reply[6..12].copy_from_slice(&MAC.0);
        reply[21] = 2;
        let (sender, target) = (reply[22..32].to_vec(), reply[38..42].to_vec());
        reply[22..28].copy_from_slice(&MAC.0);
        reply[28..32].copy_from_slice(&target);
        reply[32..42].copy_from_slice(&sender);
        send(&mut nic, &mut pool, &reply);
        // Swapping addresses and ports leaves every checksum as it is.
        let mut datagram = next_frame(&mut nic, &mut pool, [8, 0]);
        datagram[0..6].copy_from_slice(&asker);
        datagram[6..12].copy_from_slice(&MAC.0);
        datagram[26..34].rotate_left(4);
        datagram[34..38].rotate_left(2);
        send(&mut nic, &mut pool, &datagram);
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("set");
        let mut answer = [0; 32];
        let (len, from) = socket.recv_from(&mut answer).expect("the echo");
        assert_eq!((&answer[..len], from.port()), (&b"echo this"[..], 7));
        nic.stop(&mut pool);
        assert_eq!(pool.available(), 8);
        assert_eq!(nic.stats().tx_packets, 2);
    }
}
