//! Which hosts a plugin may send requests to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;
use url::Host;

/// Hosts that a plugin may send requests to, and which of their addresses may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHost {
    scheme: Scheme,
    host: Pattern,
    port: u16,
    /// Which of its addresses may be reached.
    pub reach: Reach,
}

/// Which addresses of a host may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Those of the public Internet.
    Public,
    /// Those of private networks and of this machine, too.
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    /// Every host below this one, but not itself.
    Below(String),
}

impl Reach {
    pub(crate) const ALL: [(&'static str, Self); 2] =
        [("public", Self::Public), ("any", Self::Any)];

    /// How a manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Any => "any",
        }
    }

    pub(crate) fn allows(self, address: IpAddr) -> bool {
        self == Self::Any || is_public(address)
    }
}

impl HttpHost {
    pub(crate) fn covers(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_host = match &self.host {
            Pattern::Exactly(own) => own == host,
            Pattern::Below(parent) => host
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1),
        };
        is_host
            && self.scheme.as_str() == url.scheme()
            && url.port_or_known_default() == Some(self.port)
    }

    /// With the addresses that may be reached.
    pub(crate) fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// `[SCHEME://][*.]HOST[:PORT]`; `https` and the scheme's own port, if not said.
impl FromStr for HttpHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no host such as \"api.example.com\", \"*.example.com\" or \"http://10.0.0.7:8080\""
            )
        };
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(_) => return Err(wrong()),
            None => (Scheme::Https, text),
        };
        let (is_below, rest) = match rest.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, rest),
        };
        let is_bare = !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*', '\\']);
        let url = Url::parse(&format!("{}://{rest}", scheme.as_str())).ok().filter(|_| is_bare);
        let (host, port) = url
            .as_ref()
            .and_then(|url| Some((url.host()?, url.port_or_known_default()?)))
            .ok_or_else(wrong)?;
        let host = match host {
            Host::Domain(name) if is_below => Pattern::Below(name.to_owned()),
            _ if is_below => return Err(wrong()),
            host => Pattern::Exactly(host.to_string()),
        };
        Ok(Self { scheme, host, port, reach: Reach::Public })
    }
}

impl fmt::Display for HttpHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (star, host) = match &self.host {
            Pattern::Exactly(host) => ("", host),
            Pattern::Below(parent) => ("*.", parent),
        };
        write!(f, "{}://{star}{host}:{}", self.scheme.as_str(), self.port)
    }
}

/// Whether an address is one of the public Internet: what isn't known to be is not.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by carriers, for protocols, for benchmarks, and relays of 6to4.
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
        || (a == 192 && b == 88 && c == 99))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, .., g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (a, b) {
        // What NAT64 and 6to4 lead to is an address of version 4.
        (0x64, 0xff9b) => c == 0 && d == 0 && is_public_v4(v4(g, h)),
        (0x2002, _) => is_public_v4(v4(b, c)),
        // Teredo, benchmarks, and documentation.
        (0x2001, 0x0000..=0x01ff | 0x0db8) | (0x3fff, _) => false,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(host: &str, url: &str) -> bool {
        host.parse::<HttpHost>().unwrap().covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_covers_its_scheme_and_port_and_no_other() {
        assert!(covers("api.example.com", "https://api.example.com/a?b#c"));
        assert!(covers("api.example.com", "https://API.example.com:443/"));
        assert!(covers("http://api.example.com:8080", "http://api.example.com:8080/"));
        for other in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://example.com/",
            "https://evil-api.example.com/",
            "https://api.example.com.evil.org/",
            "https://api.example.com./",
            "https://api.example.com@evil.org/",
        ] {
            assert!(!covers("api.example.com", other), "{other}");
        }
    }

    #[test]
    fn a_star_covers_what_is_below() {
        assert!(covers("*.example.com", "https://a.example.com/"));
        assert!(covers("*.example.com", "https://a.b.example.com/"));
        assert!(!covers("*.example.com", "https://example.com/"));
        assert!(!covers("*.example.com", "https://notexample.com/"));
    }

    #[test]
    fn an_address_is_the_same_in_every_writing() {
        assert!(covers("http://127.0.0.1:80", "http://0x7f.1/"));
        assert!(covers("http://127.0.0.1:80", "http://2130706433/"));
        assert!(covers("http://[::1]:80", "http://[0:0:0:0:0:0:0:1]/"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let wrong =
            ["", "*", "*.", "*.10.0.0.1", "ftp://a", "a/b", "a?b", "u@a", "a:x", "a b", "*a.b"];
        for text in wrong {
            assert!(text.parse::<HttpHost>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_what_is_known_to_be_public_is() {
        for public in
            ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "64:ff9b:1::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
