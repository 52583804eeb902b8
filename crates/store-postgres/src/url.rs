//! The database's address: what libpq's URLs say, as far as it matters here.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::open_error::OpenError;

/// How long reaching one host may take, where the URL does not say.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// A silent peer is asked after this, so often, and given up.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(5), Duration::from_secs(2), 3);
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);

/// Where the database is, and how far its certificate is trusted.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// What is asked of the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing: the wire is encrypted, and nobody is sure to whom. What libpq does for `prefer` and `require`.
    Anyone,
    /// That it names the host and is signed by somebody in this file, or known to the system.
    Verified(Option<PathBuf>),
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let bad = |why: String| OpenError::BadUrl { why };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(bad("it must begin with postgres://".to_owned()));
        }
        let (url, trust) = split_trust(url)?;
        let mut config = Config::from_str(&url).map_err(|error| bad(said(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(bad("it names no host".to_owned()));
        }
        if matches!(trust, Trust::Verified(_)) {
            config.ssl_mode(SslMode::Require);
        }
        tune(&mut config);
        Ok(Self { config, trust })
    }

    /// The host and port, or several, without any secret.
    pub(crate) fn place(&self) -> String {
        let ports = self.config.get_ports();
        let host = |host: &Host| match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        };
        let hosts = self.config.get_hosts().iter().map(host);
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let names: Vec<_> =
            if self.config.get_hosts().is_empty() { addresses.collect() } else { hosts.collect() };
        let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let places = names.iter().enumerate().map(|(at, name)| format!("{name}:{}", port(at)));
        places.collect::<Vec<_>>().join(", ")
    }

    /// The address as a URL, with what connects and without what is secret.
    pub(crate) fn shown(&self) -> String {
        let user = self.config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let places = self.place().replace(", ", ",");
        let database = self.config.get_dbname().map(|name| format!("/{name}")).unwrap_or_default();
        format!("postgres://{user}{places}{database}")
    }

    /// The database's name: the user's, where the URL has none.
    pub(crate) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }

    pub(crate) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("of the operating system")
    }
}

/// Takes out what the driver does not know: `sslmode=verify-full` and `sslrootcert`.
fn split_trust(url: &str) -> Result<(String, Trust), OpenError> {
    let Some((before, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), Trust::Anyone));
    };
    let (mut rest, mut root, mut verified) = (vec![], None, false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", "verify-full")) => verified = true,
            Some(("sslmode", "verify-ca")) => {
                let why = "sslmode=verify-ca is not offered; use sslmode=verify-full".to_owned();
                return Err(OpenError::BadUrl { why });
            }
            Some(("sslrootcert", path)) => {
                let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
                root = Some(PathBuf::from(path.into_owned()));
            }
            _ => rest.push(pair),
        }
    }
    if root.is_some() && !verified {
        let why = "sslrootcert goes with sslmode=verify-full".to_owned();
        return Err(OpenError::BadUrl { why });
    }
    let trust = if verified { Trust::Verified(root) } else { Trust::Anyone };
    Ok((format!("{before}?{}", rest.join("&")), trust))
}

fn tune(config: &mut Config) {
    #[cfg(unix)]
    if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
        && !config.get_hosts().is_empty()
    {
        // As libpq does: nobody listens in on a socket of this machine.
        config.ssl_mode(SslMode::Disable);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_MAX);
    }
    // Of several hosts, the one that can be written to: where it moved to is found at the next connection.
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let (idle, interval, retries) = KEEPALIVE;
    config.keepalives(true).keepalives_idle(idle).keepalives_interval(interval);
    config.keepalives_retries(retries).tcp_user_timeout(UNACKNOWLEDGED_MAX);
}

/// What the driver says of a URL, without its preamble.
fn said(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_places_and_no_secret() {
        let address = Address::parse("postgres://ann:secret@one,two:7000/ledger").unwrap();
        assert_eq!(address.place(), "one:5432, two:7000");
        assert_eq!((address.database(), address.user()), ("ledger", "ann"));
        assert_eq!(address.trust, Trust::Anyone);
    }

    #[test]
    fn a_certificate_is_verified_only_where_the_url_says_so() {
        let verified = Address::parse("postgres://h/d?sslmode=verify-full&sslrootcert=%2Fca.pem");
        let address = verified.unwrap();
        assert_eq!(address.trust, Trust::Verified(Some("/ca.pem".into())));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        let required = Address::parse("postgres://h/d?sslmode=require").unwrap();
        assert_eq!(required.trust, Trust::Anyone);
    }

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_with_its_reason() {
        for (url, why) in [
            ("mysql://h/d", "must begin with postgres://"),
            ("postgres:///d", "names no host"),
            ("postgres://h:many/d", "port"),
            ("postgres://h/d?sslmode=sometimes", "sslmode"),
            ("postgres://h/d?colour=red", "colour"),
            ("postgres://h/d?sslmode=verify-ca", "verify-full"),
            ("postgres://h/d?sslrootcert=/ca.pem", "goes with"),
        ] {
            let told = Address::parse(url).err().unwrap().to_string();
            assert!(told.contains(why), "{url}: {told}");
        }
    }
}
