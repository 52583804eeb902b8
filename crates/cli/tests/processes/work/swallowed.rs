//! Work that was given in an answer that never arrived.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::Signal;
use serde_json::json;

use super::Shop;

/// A way to a server on which the first answer is swallowed, and every other one arrives.
struct Way {
    url: String,
    swallowed: Receiver<()>,
}

impl Way {
    fn to(server: &str) -> Self {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let url = format!("http://{here}");
        let (tell, swallowed) = channel();
        let mut tell = Some(tell);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(there) = TcpStream::connect(&server) else { return };
                let (from, to) = (client.try_clone().unwrap(), there.try_clone().unwrap());
                let names = [here.clone(), server.clone()];
                thread::spawn(move || pass_on(from, to, names));
                let tell = tell.take();
                thread::spawn(move || match tell {
                    None => drop(io::copy(&mut &there, &mut &client)),
                    Some(tell) => {
                        (&there).read_exact(&mut [0]).unwrap();
                        tell.send(()).unwrap();
                        drop(io::copy(&mut &there, &mut io::sink()));
                        drop(client);
                    }
                });
            }
        });
        Self { url, swallowed }
    }
}

/// What a client says, with the name of the server that it means: no other is answered.
fn pass_on(mut from: TcpStream, mut to: TcpStream, [here, there]: [String; 2]) {
    let mut buffer = [0; 4096];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let said = String::from_utf8_lossy(&buffer[..bytes]).replace(&here, &there);
        if to.write_all(said.as_bytes()).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn what_is_given_at_the_last_moment_is_given_back() {
    let shop = Shop::open(600);
    let way = Way::to(&shop.server.url());
    let mut worker = shop.claims_by(&way.url, &["--exec", "true"]);
    shop.asks("d1", "true");
    way.swallowed.recv().unwrap();
    assert_eq!(
        shop.client.delegation("d1")["status"],
        "in_progress",
        "given to nobody who knows it"
    );
    worker.signal(Signal::TERM);
    let mut told = worker.ends_well();
    told.sort_unstable();
    assert_eq!(told, ["claimed", "ending", "released"]);
    let row = shop.client.delegation("d1");
    assert_eq!((&row["status"], &row["attempt"]), (&json!("queued"), &json!(1)), "{row}");
}
