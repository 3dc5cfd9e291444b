//! Bodies: what a guest writes is gathered until it is finished, what comes back is here whole.

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, Pollable, StreamError, subscribe,
};

use super::Fields;
use crate::bindings::wasi_http::types::{
    ErrorCode, HostFutureTrailers, HostIncomingBody, HostOutgoingBody,
};
use crate::budget::Meter;
use crate::output::{Output, Sink};
use crate::state::{State, lock};

/// A request's body that is being written.
pub struct OutgoingBody {
    written: Arc<Mutex<BytesMut>>,
    /// Until it is handed to the guest, which happens once.
    writer: Option<Writer>,
    /// What the request's headers say that it will have.
    length: Option<u64>,
    finished: oneshot::Sender<Bytes>,
}

/// A body that will be finished, or given up.
pub(super) type Awaited = oneshot::Receiver<Bytes>;

/// Takes what a guest writes.
struct Writer {
    written: Arc<Mutex<BytesMut>>,
    meter: Meter,
}

/// A response's body; none once its stream was taken.
pub struct IncomingBody(pub(super) Option<Bytes>);

/// What comes after a body; said once.
pub struct NoTrailers {
    is_taken: bool,
}

impl OutgoingBody {
    pub(super) fn new(length: Option<u64>, meter: Meter) -> (Self, Awaited) {
        let (finished, awaited) = oneshot::channel();
        let written = Arc::<Mutex<BytesMut>>::default();
        let writer = Some(Writer { written: Arc::clone(&written), meter });
        (Self { written, writer, length, finished }, awaited)
    }

    fn finish(self) -> Result<(), ErrorCode> {
        let body = std::mem::take(&mut *lock(&self.written)).freeze();
        let has = body.len() as u64;
        if self.length.is_some_and(|said| said != has) {
            return Err(ErrorCode::HttpRequestBodySize(Some(has)));
        }
        // Whoever doesn't want the response any more doesn't want the request sent either.
        let _ = self.finished.send(body);
        Ok(())
    }
}

impl Sink for Writer {
    fn take(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        if !self.meter.take(bytes.len() as u64) {
            let code = ErrorCode::HttpRequestBodySize(Some(self.meter.max()));
            return Err(StreamError::LastOperationFailed(code.into()));
        }
        lock(&self.written).extend_from_slice(bytes);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Pollable for NoTrailers {
    async fn ready(&mut self) {}
}

impl HostOutgoingBody for State {
    fn write(
        &mut self,
        body: Resource<OutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let Some(writer) = self.table.get_mut(&body)?.writer.take() else { return Ok(Err(())) };
        let stream: DynOutputStream = Box::new(Output(writer));
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let body = self.table.delete(body)?;
        if let Some(trailers) = trailers {
            let trailers = self.table.delete(trailers)?;
            if !trailers.map().is_empty() {
                return Ok(Err(ErrorCode::HttpRequestTrailerSectionSize(Some(0))));
            }
        }
        Ok(body.finish())
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl HostIncomingBody for State {
    fn stream(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        let Some(bytes) = self.table.get_mut(&body)?.0.take() else { return Ok(Err(())) };
        let stream: DynInputStream = Box::new(MemoryInputPipe::new(bytes));
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<Resource<NoTrailers>> {
        self.table.delete(body)?;
        Ok(self.table.push(NoTrailers { is_taken: false })?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

/// What asking for trailers answers: whether they are here, whether they were taken before, what went
/// wrong, and whether there are any.
type Trailers = Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>;

impl HostFutureTrailers for State {
    fn subscribe(
        &mut self,
        trailers: Resource<NoTrailers>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, trailers)
    }

    fn get(&mut self, trailers: Resource<NoTrailers>) -> wasmtime::Result<Trailers> {
        let trailers = self.table.get_mut(&trailers)?;
        let was_taken = std::mem::replace(&mut trailers.is_taken, true);
        Ok(Some(if was_taken { Err(()) } else { Ok(Ok(None)) }))
    }

    fn drop(&mut self, trailers: Resource<NoTrailers>) -> wasmtime::Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}
