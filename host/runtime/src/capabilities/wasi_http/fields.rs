//! Headers.

use std::sync::Arc;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use wasmtime::component::Resource;

use crate::bindings::wasi_http::types::{HeaderError, HostFields};
use crate::capabilities::http::{HEADERS_MAX, is_ours};
use crate::state::State;

/// What a header takes beside its name and its value; HTTP/2 counts as much.
const ENTRY_BYTES: usize = 32;

/// Headers; those of a request or a response don't change any more.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    map: Arc<HeaderMap>,
    is_immutable: bool,
}

/// What setting a header answers.
type Answer<T> = wasmtime::Result<Result<T, HeaderError>>;

impl Fields {
    pub(super) fn immutable(map: HeaderMap) -> Self {
        Self { map: Arc::new(map), is_immutable: true }
    }

    /// The same headers, not to be changed any more.
    pub(super) fn fixed(mut self) -> Self {
        self.is_immutable = true;
        self
    }

    pub(super) fn map(&self) -> &HeaderMap {
        &self.map
    }

    fn bytes(&self) -> usize {
        self.map.iter().map(|(name, value)| entry_bytes(name.as_str(), value.as_bytes())).sum()
    }

    /// The headers to change, if this name may be.
    fn change(&mut self, name: &str) -> Result<(HeaderName, &mut HeaderMap), HeaderError> {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidSyntax)?;
        if is_ours(&name) && name != CONTENT_LENGTH {
            return Err(HeaderError::Forbidden);
        }
        if self.is_immutable {
            return Err(HeaderError::Immutable);
        }
        Ok((name, Arc::make_mut(&mut self.map)))
    }

    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        let (name, map) = self.change(name)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidSyntax)?;
        // A second length would leave open where the body ends.
        if map.len() >= HEADERS_MAX || (name == CONTENT_LENGTH && map.contains_key(&name)) {
            return Err(HeaderError::Forbidden);
        }
        map.append(name, value);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
        let (name, map) = self.change(name)?;
        map.remove(name);
        Ok(())
    }

    fn set(&mut self, name: &str, values: &[Vec<u8>]) -> Result<(), HeaderError> {
        let mut changed = self.clone();
        changed.remove(name)?;
        for value in values {
            changed.append(name, value)?;
        }
        *self = changed;
        Ok(())
    }
}

fn entry_bytes(name: &str, value: &[u8]) -> usize {
    name.len() + value.len() + ENTRY_BYTES
}

impl HostFields for State {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        Ok(self.table.push(Fields::default())?)
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> Answer<Resource<Fields>> {
        self.hold_http(entries.iter().map(|(name, value)| entry_bytes(name, value)).sum())?;
        let mut fields = Fields::default();
        for (name, value) in entries {
            if let Err(error) = fields.append(&name, &value) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(self.table.push(fields)?))
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        let fields = self.table.get(&fields)?;
        Ok(fields.map.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        Ok(self.table.get(&fields)?.map.contains_key(name))
    }

    fn set(&mut self, fields: Resource<Fields>, name: String, values: Vec<Vec<u8>>) -> Answer<()> {
        self.hold_http(values.iter().map(|value| entry_bytes(&name, value)).sum())?;
        Ok(self.table.get_mut(&fields)?.set(&name, &values))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> Answer<()> {
        Ok(self.table.get_mut(&fields)?.remove(&name))
    }

    fn append(&mut self, fields: Resource<Fields>, name: String, value: Vec<u8>) -> Answer<()> {
        self.hold_http(entry_bytes(&name, &value))?;
        Ok(self.table.get_mut(&fields)?.append(&name, &value))
    }

    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        Ok(self.table.get(&fields)?.map.iter().map(pair).collect())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let copy = Fields { is_immutable: false, ..self.table.get(&fields)?.clone() };
        // It is copied when it is changed.
        self.hold_http(copy.bytes())?;
        Ok(self.table.push(copy)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_a_request_goes_is_the_hosts_to_set() {
        let mut fields = Fields::default();
        for name in ["Host", "connection", "Transfer-Encoding", "Proxy-Authorization", "upgrade"] {
            assert!(matches!(fields.append(name, b"x"), Err(HeaderError::Forbidden)), "{name}");
            assert!(matches!(fields.set(name, &[]), Err(HeaderError::Forbidden)), "{name}");
        }
        assert!(fields.append("Content-Length", b"1").is_ok());
        assert!(matches!(fields.append("content-length", b"2"), Err(HeaderError::Forbidden)));
        assert!(matches!(fields.append("a b", b"x"), Err(HeaderError::InvalidSyntax)));
        assert!(matches!(fields.append("a", b"x\r\ny"), Err(HeaderError::InvalidSyntax)));
    }

    #[test]
    fn headers_are_so_many_at_most_and_a_refusal_changes_nothing() {
        let mut fields = Fields::default();
        for _ in 0..HEADERS_MAX {
            fields.append("a", b"x").unwrap();
        }
        assert!(matches!(fields.append("b", b"x"), Err(HeaderError::Forbidden)));
        assert!(fields.set("a", &vec![Vec::new(); HEADERS_MAX + 1]).is_err());
        assert_eq!(fields.map.len(), HEADERS_MAX);
        assert!(fields.set("a", &[b"y".to_vec()]).is_ok());
        assert_eq!((fields.map.len(), fields.map["a"].as_bytes()), (1, &b"y"[..]));
    }

    #[test]
    fn headers_that_were_sent_stay_as_they_are() {
        let mut fields = Fields::default();
        fields.append("a", b"x").unwrap();
        let mut fixed = fields.clone().fixed();
        assert!(matches!(fixed.append("a", b"y"), Err(HeaderError::Immutable)));
        assert!(matches!(fixed.remove("a"), Err(HeaderError::Immutable)));
        fields.append("a", b"y").unwrap();
        assert_eq!(fixed.map.len(), 1);
    }
}
