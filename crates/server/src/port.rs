//! The port that is served.

use std::io;
use std::net::SocketAddr;

use axum::serve::{Listener, ListenerExt as _};
use tokio::net::{TcpListener, TcpSocket};

use crate::error::ServeError;

/// Connections that may wait to be accepted: after a restart a whole fleet comes back at once.
const BACKLOG: u32 = 4096;

/// The port is taken here, so that nothing that arrives from now on is lost; it is served once all runs.
pub(crate) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let unavailable = |why| ServeError::Bind { address, why };
    let listener = bound(address).map_err(unavailable)?;
    let address = listener.local_addr().map_err(unavailable)?;
    Ok((listener, address))
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server takes its port back from the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers leave at once: whoever waits for a verdict waits for a small packet.
pub(crate) fn at_once(listener: TcpListener) -> impl Listener<Addr = SocketAddr> {
    listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "small answers may be held back");
        }
    })
}
