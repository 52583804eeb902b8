//! Where a server is: the part of every URL that stays the same.

use std::fmt;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a path or a query as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An `http` or `https` URL without a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    authority: String,
    /// What a proxy put in front of the server's own paths; empty, or it begins with a slash.
    prefix: String,
}

/// Why a URL is none of a server, and what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} {why}; give the server's address, such as http://127.0.0.1:7420")]
pub struct BadAddress {
    given: String,
    why: &'static str,
}

impl Address {
    /// Reads a URL such as `http://127.0.0.1:7420`.
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        let bad = |why| BadAddress { given: url.to_owned(), why };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(bad("does not begin with http:// or https://"));
        }
        let uri: Uri = url.parse().map_err(|_| bad("is no URL"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(bad("is no URL"));
        };
        if authority.as_str().contains('@') {
            return Err(BadAddress {
                // What was given may be a password.
                given: format!("{scheme}://…"),
                why: "has a user or a password in it, and the server knows neither",
            });
        }
        let path = parts.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(bad("has a query"));
        }
        let prefix = path.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority: authority.to_string(), prefix })
    }

    /// Whether what is sent is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The URL of a path below, which is encoded already.
    pub(crate) fn join(&self, path: &str) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.as_str())
            .path_and_query(format!("{}{path}", self.prefix))
            .build()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, authority, prefix } = self;
        write!(f, "{scheme}://{authority}{prefix}")
    }
}

/// One segment of a path, or one value of a query, of any text.
pub(crate) fn encoded(text: &str) -> String {
    // A path whose segment is a dot or two leads elsewhere, so these are hidden from whoever tidies paths.
    if text == "." || text == ".." {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_printed() {
        for (url, printed) in [
            ("http://127.0.0.1:7420", "http://127.0.0.1:7420"),
            ("http://127.0.0.1:7420/", "http://127.0.0.1:7420"),
            ("http://[::1]:7420", "http://[::1]:7420"),
            ("https://consign.example/agents/", "https://consign.example/agents"),
        ] {
            assert_eq!(Address::parse(url).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_one_looks_like() {
        for (url, why) in [
            ("", "does not begin with"),
            ("127.0.0.1:7420", "does not begin with"),
            ("localhost:7420", "does not begin with"),
            ("ftp://localhost", "does not begin with"),
            ("http://", "no URL"),
            ("http://a b", "no URL"),
            ("http://localhost:7420/?x=1", "has a query"),
            ("http://me:secret@localhost", "a password"),
        ] {
            let refusal = Address::parse(url).unwrap_err().to_string();
            assert!(refusal.contains(why), "{url}: {refusal}");
            assert!(refusal.contains("http://127.0.0.1:7420"), "{refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn any_id_is_one_segment() {
        for (id, segment) in [
            ("d1", "d1"),
            ("a/b", "a%2Fb"),
            ("..", "%2E%2E"),
            ("a.b", "a.b"),
            ("x?y#z", "x%3Fy%23z"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(encoded(id), segment);
        }
        let joined = Address::parse("http://h:1/p").unwrap().join("/v1/x?a=b").unwrap();
        assert_eq!(joined.to_string(), "http://h:1/p/v1/x?a=b");
    }
}
