//! The half of the interface that is about requests to a guest, of which there are none: toolchains
//! import it all the same.

use wasmtime::component::Resource;

use super::{Fields, IncomingBody, OutgoingBody};
use crate::bindings::wasi_http::types::{
    ErrorCode, HostIncomingRequest, HostOutgoingResponse, HostResponseOutparam, Method, Scheme,
};
use crate::state::State;

/// A request to a guest.
#[derive(Debug)]
pub enum NoRequest {}

/// Where its response would go.
#[derive(Debug)]
pub enum NoOutparam {}

/// A response that nobody waits for.
#[derive(Debug)]
pub struct Unanswered {
    status: u16,
    headers: Fields,
}

impl HostIncomingRequest for State {
    fn method(&mut self, request: Resource<NoRequest>) -> wasmtime::Result<Method> {
        match *self.table.get(&request)? {}
    }

    fn path_with_query(
        &mut self,
        request: Resource<NoRequest>,
    ) -> wasmtime::Result<Option<String>> {
        match *self.table.get(&request)? {}
    }

    fn scheme(&mut self, request: Resource<NoRequest>) -> wasmtime::Result<Option<Scheme>> {
        match *self.table.get(&request)? {}
    }

    fn authority(&mut self, request: Resource<NoRequest>) -> wasmtime::Result<Option<String>> {
        match *self.table.get(&request)? {}
    }

    fn headers(&mut self, request: Resource<NoRequest>) -> wasmtime::Result<Resource<Fields>> {
        match *self.table.get(&request)? {}
    }

    fn consume(
        &mut self,
        request: Resource<NoRequest>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        match *self.table.get(&request)? {}
    }

    fn drop(&mut self, request: Resource<NoRequest>) -> wasmtime::Result<()> {
        match self.table.delete(request)? {}
    }
}

impl HostResponseOutparam for State {
    fn set(
        &mut self,
        outparam: Resource<NoOutparam>,
        _response: Result<Resource<Unanswered>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        match self.table.delete(outparam)? {}
    }

    fn drop(&mut self, outparam: Resource<NoOutparam>) -> wasmtime::Result<()> {
        match self.table.delete(outparam)? {}
    }
}

impl HostOutgoingResponse for State {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<Unanswered>> {
        let headers = self.table.delete(headers)?.fixed();
        Ok(self.table.push(Unanswered { status: 200, headers })?)
    }

    fn status_code(&mut self, response: Resource<Unanswered>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn set_status_code(
        &mut self,
        response: Resource<Unanswered>,
        status: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&response)?.status = status;
        Ok(Ok(()))
    }

    fn headers(&mut self, response: Resource<Unanswered>) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(headers)?)
    }

    fn body(
        &mut self,
        response: Resource<Unanswered>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        self.table.get(&response)?;
        Ok(Err(()))
    }

    fn drop(&mut self, response: Resource<Unanswered>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
