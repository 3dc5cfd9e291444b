//! Where spans are sent and how: a flag, and the variables that everyone who sends OTLP reads.

use std::time::Duration;

use clap::Args;
use gristmill::JobId;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::sampler::Sampler;

/// Where a daemon sends what attempts took.
#[derive(Args)]
pub(crate) struct OtlpArgs {
    /// Send spans of attempts to the collector at this address, by OTLP over HTTP, such as
    /// http://127.0.0.1:4318; standard variables such as OTEL_SERVICE_NAME say more
    #[arg(long, value_name = "URL", env = "GRISTMILL_OTLP_ENDPOINT", hide_env_values = true)]
    otlp_endpoint: Option<String>,
}

impl OtlpArgs {
    /// Nothing, where no endpoint is named.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, String> {
        let environment = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Settings::read(self.otlp_endpoint.as_deref(), &environment)
    }
}

/// Where spans are sent, and how.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// How long the collector has to answer.
    pub(super) patience: Duration,
    /// What the process is, in names and values.
    pub(super) resource: Vec<(String, String)>,
    pub(super) sampler: Sampler,
}

/// How long the collector has to answer, if nothing is said: what the standard says.
const PATIENCE: Duration = Duration::from_secs(10);
/// The one form of OTLP that is spoken.
const PROTOCOL: &str = "http/protobuf";
/// Where a collector takes spans.
const PATH: &str = "v1/traces";

impl Settings {
    fn read(
        flag: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let is_off = |name: &str, off: &str| {
            variable(name).is_some_and(|text| text.trim().eq_ignore_ascii_case(off))
        };
        // They turn off what the environment names, and not what a flag of our own does.
        let is_off = is_off("OTEL_SDK_DISABLED", "true") || is_off("OTEL_TRACES_EXPORTER", "none");
        // The variables of traces alone come before those of everything that OTLP carries.
        let said = |what: &str| {
            let [own, all] = ["TRACES_", ""].map(|of| format!("OTEL_EXPORTER_OTLP_{of}{what}"));
            variable(&own)
                .map(|text| (own, text))
                .or_else(|| variable(&all).map(|text| (all, text)))
        };
        let url = match (flag, said("ENDPOINT")) {
            (Some(base), _) => below("--otlp-endpoint", base)?,
            (None, Some((name, text))) if !is_off && name.contains("TRACES") => {
                address(&name, &text)?
            }
            (None, Some((name, base))) if !is_off => below(&name, &base)?,
            (None, _) => return Ok(None),
        };
        if let Some((name, text)) = said("PROTOCOL").filter(|(_, text)| text != PROTOCOL) {
            return Err(format!("{name}: {text:?} isn't spoken, but {PROTOCOL} is"));
        }
        let headers = said("HEADERS").map(|(name, text)| headers(&name, &text));
        let patience = said("TIMEOUT").map(|(name, text)| patience(&name, &text));
        let (name, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        Ok(Some(Self {
            url,
            headers: headers.transpose()?.unwrap_or_default(),
            patience: patience.transpose()?.unwrap_or(PATIENCE),
            resource: resource(variable)?,
            sampler: Sampler::named(variable(name).as_deref(), variable(argument).as_deref())?,
        }))
    }
}

fn address(name: &str, text: &str) -> Result<Url, String> {
    let url = text.parse::<Url>().ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    // An address may hold a password, which the log is not to have.
    url.ok_or_else(|| format!("{name} is no address such as http://127.0.0.1:4318"))
}

fn below(name: &str, base: &str) -> Result<Url, String> {
    let mut url = address(name, base)?;
    let path = format!("{}/{PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

fn patience(name: &str, text: &str) -> Result<Duration, String> {
    let millis = text.trim().parse().ok().filter(|millis| *millis > 0);
    millis
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{name}: {text:?} is no number of milliseconds"))
}

fn headers(name: &str, text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (key, value) in pairs(name, text)? {
        let key =
            HeaderName::try_from(&key).map_err(|_| format!("{name}: {key:?} is no header"))?;
        let mut value = HeaderValue::try_from(&value)
            .map_err(|_| format!("{name}: the value of {key} can't be sent"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

fn resource(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, String> {
    let given = |name: &str| variable(name).map(|text| pairs(name, &text)).transpose();
    let mut resource = given("OTEL_RESOURCE_ATTRIBUTES")?.unwrap_or_default();
    if let Some(service) = variable("OTEL_SERVICE_NAME") {
        resource.retain(|(key, _)| key != "service.name");
        resource.push(("service.name".to_owned(), service));
    }
    let usual = [
        ("service.name", "gristmill".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", JobId::random().to_string()),
        ("telemetry.sdk.language", "rust".to_owned()),
    ];
    for (key, value) in usual {
        if !resource.iter().any(|(given, _)| given == key) {
            resource.push((key.to_owned(), value));
        }
    }
    Ok(resource)
}

/// `key=value,…`, with values as in URLs.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim().to_owned(), decoded(value.trim())?))
    };
    pairs
        .map(|text| {
            pair(text).ok_or_else(|| format!("{name} is no list such as key=value,key=value"))
        })
        .collect()
}

/// A text without its `%20`.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| (*text).to_owned())
        };
        Settings::read(flag, &variable)
    }

    fn url(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        read(flag, variables).unwrap().map(|settings| settings.url.to_string())
    }

    #[test]
    fn spans_are_sent_only_where_an_endpoint_is_named() {
        const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318/otlp/");
        const OWN: (&str, &str) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/spans");
        assert_eq!(url(None, &[("OTEL_SERVICE_NAME", "mill")]), None);
        assert_eq!(url(None, &[ALL]).unwrap(), "http://a:4318/otlp/v1/traces");
        assert_eq!(url(None, &[ALL, OWN]).unwrap(), "http://b/spans");
        assert_eq!(url(Some("https://c"), &[ALL, OWN]).unwrap(), "https://c/v1/traces");
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(url(None, &[ALL, OWN, off]), None);
        }
    }

    #[test]
    fn the_standards_variables_say_how() {
        let settings = read(
            Some("http://a"),
            &[
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b, authorization=Basic%3D"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
                ("OTEL_SERVICE_NAME", "mill"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,host.name=here"),
            ],
        );
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.headers["x-key"], "a b");
        assert_eq!(settings.headers["authorization"], "Basic=");
        assert_eq!(settings.patience, Duration::from_millis(250));
        let said = |wanted: &str| {
            let named = settings.resource.iter().filter(|(key, _)| key == wanted);
            named.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        assert_eq!((said("service.name"), said("host.name")), (vec!["mill"], vec!["here"]));
    }

    #[test]
    fn what_cant_be_done_is_told_by_its_name_and_without_what_may_be_secret() {
        let refused = |flag, name, text| read(flag, &[(name, text)]).unwrap_err();
        for flag in ["a.example:4318", "ftp://a.example", "user:secret"] {
            let told = read(Some(flag), &[]).unwrap_err();
            assert!(told.starts_with("--otlp-endpoint") && !told.contains(flag), "{told}");
        }
        let here = Some("http://a");
        for (name, text) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%zz"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0a"),
            ("OTEL_RESOURCE_ATTRIBUTES", "secret"),
            ("OTEL_TRACES_SAMPLER", "some"),
        ] {
            let told = refused(here, name, text);
            assert!(told.contains(name) && !told.contains("secret"), "{told}");
        }
    }
}
