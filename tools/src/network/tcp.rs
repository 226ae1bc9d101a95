//! TCP on a user-space [`Host`]: connect, listen, and streams for tokio.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{RecvError, Socket, SocketBuffer, State};
use smoltcp::wire::{IpAddress, IpListenEndpoint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Host;
use super::host::{Shared, socket_address};

/// Bytes of window in each direction.
const BUFFER_BYTES: usize = 128 << 10;

/// A connection.
#[derive(Debug)]
pub struct TcpStream {
    shared: Arc<Shared>,
    handle: SocketHandle,
    /// Our end.
    pub local: SocketAddr,
    /// The other end, as this host sees it.
    pub remote: SocketAddr,
}

/// A listening port with a backlog of sockets.
#[derive(Debug)]
pub struct Listener {
    host: Host,
    endpoint: IpListenEndpoint,
    backlog: Vec<SocketHandle>,
}

impl Host {
    /// Opens a connection from one of the host's addresses.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionRefused`] when the other end refuses; silence is left to the
    /// caller's own timeout.
    pub async fn connect(&self, local: Ipv4Addr, remote: SocketAddrV4) -> io::Result<TcpStream> {
        let shared = Arc::clone(self.shared());
        let (handle, port) = {
            let mut guard = shared.lock();
            let stack = &mut *guard;
            let port = stack.next_port();
            let handle = stack.sockets.add(new_socket());
            let socket = stack.sockets.get_mut::<Socket<'_>>(handle);
            let target = (IpAddress::Ipv4(*remote.ip()), remote.port());
            if let Err(error) = socket.connect(
                stack.interface.context(),
                target,
                (IpAddress::Ipv4(local), port),
            ) {
                stack.sockets.remove(handle);
                return Err(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    error.to_string(),
                ));
            }
            (handle, port)
        };
        // Owned from here on, so that a caller who gives up leaves nothing behind.
        let stream = TcpStream {
            shared,
            handle,
            local: SocketAddr::from((local, port)),
            remote: SocketAddr::V4(remote),
        };
        stream.shared.kick();
        poll_fn(|context: &mut Context<'_>| -> Poll<io::Result<()>> {
            let mut stack = stream.shared.lock();
            let socket = stack.sockets.get_mut::<Socket<'_>>(handle);
            match socket.state() {
                State::SynSent | State::SynReceived => {
                    socket.register_send_waker(context.waker());
                    socket.register_recv_waker(context.waker());
                    Poll::Pending
                }
                State::Closed => Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into())),
                _ => Poll::Ready(Ok(())),
            }
        })
        .await?;
        Ok(stream)
    }

    /// Listens on one of the host's addresses; up to `backlog` connections may wait to be accepted.
    pub fn listen(&self, local: SocketAddrV4, backlog: usize) -> Listener {
        let endpoint = IpListenEndpoint {
            addr: Some(IpAddress::Ipv4(*local.ip())),
            port: local.port(),
        };
        let mut listener = Listener {
            host: self.clone(),
            endpoint,
            backlog: Vec::new(),
        };
        listener.refill(backlog.max(1));
        listener
    }
}

fn new_socket() -> Socket<'static> {
    let buffer = || SocketBuffer::new(vec![0; BUFFER_BYTES]);
    let mut socket = Socket::new(buffer(), buffer());
    // Messages here are small and answered at once; delays would only measure themselves.
    socket.set_nagle_enabled(false);
    socket
}

impl Listener {
    fn refill(&mut self, count: usize) {
        let mut stack = self.host.shared().lock();
        for _ in 0..count {
            let handle = stack.sockets.add(new_socket());
            // Only port 0 or a busy socket is refused; the socket is new and the port is given.
            let _ = stack
                .sockets
                .get_mut::<Socket<'_>>(handle)
                .listen(self.endpoint);
            self.backlog.push(handle);
        }
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// Never at present; the result leaves room for a stack that can fail.
    pub async fn accept(&mut self) -> io::Result<TcpStream> {
        let (index, local, remote) = poll_fn(|context| {
            let mut stack = self.host.shared().lock();
            for (index, handle) in self.backlog.iter().enumerate() {
                let socket = stack.sockets.get_mut::<Socket<'_>>(*handle);
                match socket.state() {
                    State::Listen | State::SynReceived => {
                        socket.register_recv_waker(context.waker())
                    }
                    State::Closed => {
                        // A caller that reset its connection before we took it.
                        let _ = socket.listen(self.endpoint);
                        socket.register_recv_waker(context.waker());
                    }
                    _ => {
                        let ends = (socket.local_endpoint(), socket.remote_endpoint());
                        if let (Some(local), Some(remote)) = ends {
                            return Poll::Ready((
                                index,
                                socket_address(local),
                                socket_address(remote),
                            ));
                        }
                    }
                }
            }
            Poll::Pending
        })
        .await;
        let handle = self.backlog.swap_remove(index);
        self.refill(1);
        Ok(TcpStream {
            shared: Arc::clone(self.host.shared()),
            handle,
            local,
            remote,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut stack = self.host.shared().lock();
        for handle in self.backlog.drain(..) {
            stack.sockets.get_mut::<Socket<'_>>(handle).abort();
            stack.orphans.push(handle);
        }
        drop(stack);
        self.host.shared().kick();
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut stack = self.shared.lock();
        let socket = stack.sockets.get_mut::<Socket<'_>>(self.handle);
        if socket.can_recv() {
            let length = socket.recv_slice(buffer.initialize_unfilled()).unwrap_or(0);
            buffer.advance(length);
            drop(stack);
            self.shared.kick(); // the window has opened
            return Poll::Ready(Ok(()));
        }
        if socket.may_recv() {
            socket.register_recv_waker(context.waker());
            return Poll::Pending;
        }
        match socket.recv_slice(&mut []) {
            Err(RecvError::InvalidState) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Ok(_) | Err(RecvError::Finished) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut stack = self.shared.lock();
        let socket = stack.sockets.get_mut::<Socket<'_>>(self.handle);
        if socket.can_send() {
            let length = socket.send_slice(bytes).unwrap_or(0);
            drop(stack);
            self.shared.kick();
            return Poll::Ready(Ok(length));
        }
        if socket.may_send() {
            socket.register_send_waker(context.waker());
            return Poll::Pending;
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared
            .lock()
            .sockets
            .get_mut::<Socket<'_>>(self.handle)
            .close();
        self.shared.kick();
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let mut stack = self.shared.lock();
        stack.sockets.get_mut::<Socket<'_>>(self.handle).close();
        stack.orphans.push(self.handle);
        drop(stack);
        self.shared.kick();
    }
}
