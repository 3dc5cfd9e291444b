//! Requests as a guest makes them.

use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use wasmtime::component::Resource;

use super::Fields;
use super::body::{Awaited, OutgoingBody};
use crate::bindings::wasi_http::types::{HostOutgoingRequest, HostRequestOptions, Method, Scheme};
use crate::capabilities::http::URL_BYTES_MAX;
use crate::state::State;

/// A request that is being made.
#[derive(Debug)]
pub struct OutgoingRequest {
    pub(super) method: Method,
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<String>,
    pub(super) path_with_query: Option<String>,
    pub(super) headers: Fields,
    /// If it has one.
    pub(super) body: Option<Awaited>,
}

/// How long a request may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    connect: Option<u64>,
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl Options {
    pub(super) fn first_byte(&self) -> Option<Duration> {
        self.first_byte.map(Duration::from_nanos)
    }

    pub(super) fn between_bytes(&self) -> Option<Duration> {
        self.between_bytes.map(Duration::from_nanos)
    }
}

impl OutgoingRequest {
    /// The length that its headers say.
    fn length(&self) -> Result<Option<u64>, ()> {
        let Some(said) = self.headers.map().get(CONTENT_LENGTH) else { return Ok(None) };
        let is_number = !said.is_empty() && said.as_bytes().iter().all(u8::is_ascii_digit);
        let number = said.to_str().ok().filter(|_| is_number).and_then(|said| said.parse().ok());
        number.map(Some).ok_or(())
    }
}

impl State {
    /// Whether a part of a request that a guest sets is short enough to be held.
    fn holds_part(&mut self, part: Option<&str>) -> wasmtime::Result<bool> {
        let bytes = part.map_or(0, str::len);
        if bytes > URL_BYTES_MAX {
            return Ok(false);
        }
        self.hold_http(bytes)?;
        Ok(true)
    }
}

impl HostOutgoingRequest for State {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let request = OutgoingRequest {
            method: Method::Get,
            scheme: None,
            authority: None,
            path_with_query: None,
            headers: self.table.delete(headers)?.fixed(),
            body: None,
        };
        Ok(self.table.push(request)?)
    }

    fn body(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let meter = self.budget.http(&self.limits);
        let request = self.table.get_mut(&request)?;
        let (None, Ok(length)) = (&request.body, request.length()) else { return Ok(Err(())) };
        let (body, awaited) = OutgoingBody::new(length, meter);
        request.body = Some(awaited);
        Ok(Ok(self.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        Ok(self.table.get(&request)?.method.clone())
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Result<(), ()>> {
        let name = match &method {
            Method::Other(name) => Some(name.as_str()),
            _ => None,
        };
        if !self.holds_part(name)? {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.method = method;
        Ok(Ok(()))
    }

    fn path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.path_with_query.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        // Anything else would go into the name of the host.
        if path.as_ref().is_some_and(|path| !path.is_empty() && !path.starts_with(['/', '?'])) {
            return Ok(Err(()));
        }
        if !self.holds_part(path.as_deref())? {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.path_with_query = path;
        Ok(Ok(()))
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let name = match &scheme {
            Some(Scheme::Other(name)) => Some(name.as_str()),
            _ => None,
        };
        if !self.holds_part(name)? {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.scheme = scheme;
        Ok(Ok(()))
    }

    fn authority(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        if !self.holds_part(authority.as_deref())? {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.authority = authority;
        Ok(Ok(()))
    }

    fn headers(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&request)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl HostRequestOptions for State {
    fn new(&mut self) -> wasmtime::Result<Resource<Options>> {
        Ok(self.table.push(Options::default())?)
    }

    fn connect_timeout(&mut self, options: Resource<Options>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.connect)
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<Options>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.connect = nanos;
        Ok(Ok(()))
    }

    fn first_byte_timeout(&mut self, options: Resource<Options>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.first_byte)
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<Options>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.first_byte = nanos;
        Ok(Ok(()))
    }

    fn between_bytes_timeout(
        &mut self,
        options: Resource<Options>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.between_bytes)
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<Options>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.between_bytes = nanos;
        Ok(Ok(()))
    }

    fn drop(&mut self, options: Resource<Options>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
