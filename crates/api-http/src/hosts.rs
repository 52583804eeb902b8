//! By which names this server is called. A web page that was led here under another name, or that comes
//! from another site, is refused: otherwise any page could reach an open server on the reader's machine.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use crate::problem::Problem;
use crate::wire::excerpt;

/// The port that a `Host` header leaves out.
const HTTP_PORT: u16 = 80;

/// The values of `Host` that are ours.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The names of the loopback interface at the served port, and the address itself.
    #[must_use]
    pub fn of(served: SocketAddr) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        let itself = match served.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        names.into_iter().chain([itself]).fold(Self(vec![]), |hosts, name| {
            let bare = (served.port() == HTTP_PORT).then(|| name.clone());
            let hosts = hosts.and(&format!("{name}:{}", served.port()));
            bare.into_iter().fold(hosts, |hosts, name| hosts.and(&name))
        })
    }

    /// These and one more: a name, with its port unless that is 80.
    #[must_use]
    pub fn and(mut self, host: &str) -> Self {
        if !self.knows(host) {
            self.0.push(host.to_ascii_lowercase());
        }
        self
    }

    fn knows(&self, host: &str) -> bool {
        self.0.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Refuses what was not meant for us, or comes from elsewhere.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = headers.get(HOST).map_or("", |it| it.to_str().unwrap_or_default());
        // A whole address in the request line speaks before the header.
        let host = uri.authority().map_or(host, Authority::as_str);
        if !self.knows(host) || headers.get_all(HOST).iter().count() > 1 {
            return Err(Problem::foreign_host(format!(
                "this server is called {}, and the request was for {:?}",
                self.0.join(", "),
                excerpt(host)
            )));
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let site = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if site.is_some_and(|site| self.knows(site)) {
            return Ok(());
        }
        Err(Problem::foreign_origin(format!(
            "pages from {:?} may not use this server; call it from a program, not from a browser",
            excerpt(origin)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(hosts: &Hosts, host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.extend(host.map(|it| (HOST, it.parse().unwrap())));
        headers.extend(origin.map(|it| (ORIGIN, it.parse().unwrap())));
        hosts.check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn only_our_own_names_at_our_own_port_are_ours() {
        let hosts = Hosts::of(([127, 0, 0, 7], 7420).into());
        for (host, ours) in [
            (Some("localhost:7420"), true),
            (Some("LOCALHOST:7420"), true),
            (Some("127.0.0.1:7420"), true),
            (Some("127.0.0.7:7420"), true),
            (Some("[::1]:7420"), true),
            (Some("localhost"), false),
            (Some("localhost:80"), false),
            (Some("localhost.evil.example:7420"), false),
            (Some("evil.example:7420"), false),
            (Some("rebound.example"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(checked(&hosts, host, None), ours, "{host:?}");
        }
    }

    #[test]
    fn an_address_in_the_request_line_is_checked_like_a_header() {
        let hosts = Hosts::of(([127, 0, 0, 1], 7420).into());
        let headers = HeaderMap::from_iter([(HOST, "localhost:7420".parse().unwrap())]);
        let ours = |uri| hosts.check(&Uri::from_static(uri), &headers).is_ok();
        assert!(ours("http://127.0.0.1:7420/v1/stats"));
        assert!(!ours("http://evil.example/v1/stats"));
    }

    #[test]
    fn at_port_80_the_port_may_be_left_out() {
        let hosts = Hosts::of(([127, 0, 0, 1], 80).into());
        assert!(checked(&hosts, Some("localhost"), None));
        assert!(checked(&hosts, Some("localhost:80"), None));
    }

    #[test]
    fn a_page_from_elsewhere_is_refused() {
        let hosts = Hosts::of(([127, 0, 0, 1], 7420).into()).and("ledger.example");
        for (origin, ours) in [
            ("http://localhost:7420", true),
            ("http://127.0.0.1:7420", true),
            ("https://ledger.example", true),
            ("http://localhost:3000", false),
            ("http://localhost", false),
            ("https://evil.example", false),
            ("http://localhost:7420.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(checked(&hosts, Some("localhost:7420"), Some(origin)), ours, "{origin}");
        }
    }
}
