//! Calling an exported function, and what its job makes of what it gives.

use gristmill_job::media;
use wasmtime::component::{ComponentNamedList, Func, Instance, Lift, Lower, Val};
use wasmtime::{Store, format_err};

use super::{Arguments, Export};
use crate::bindings::types;
use crate::fault::Abort;
use crate::report::Answer;
use crate::state::State;
use crate::values::{self, Full, ValueType};

/// A signature that is called by types known beforehand: bytes go over in one piece, where the general
/// way takes a value of some 40 bytes for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) parameter: Parameter,
    result: Given,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Bytes,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    Bytes,
    Text,
    BytesOrError,
    TextOrError,
}

impl Shape {
    /// The shape of functions from one string or `list<u8>` to the like.
    pub(super) fn of(
        parameters: &[(String, ValueType)],
        result: Option<&ValueType>,
    ) -> Option<Self> {
        let parameter = match parameters {
            [(_, ValueType::Bytes)] => Parameter::Bytes,
            [(_, ValueType::String)] => Parameter::Text,
            _ => return None,
        };
        let result = match result {
            None => Given::Nothing,
            Some(ValueType::Bytes) => Given::Bytes,
            Some(ValueType::String) => Given::Text,
            Some(ValueType::Result(Some(ok), Some(err))) => match (&**ok, &**err) {
                (ValueType::Bytes, ValueType::String) => Given::BytesOrError,
                (ValueType::String, ValueType::String) => Given::TextOrError,
                _ => return None,
            },
            Some(_) => return None,
        };
        Some(Self { parameter, result })
    }
}

/// Calls an export of an instance.
pub(crate) async fn call(
    store: &mut Store<State>,
    instance: &Instance,
    export: &Export,
    arguments: Arguments,
) -> wasmtime::Result<Answer> {
    let function = find(store, instance, export)?;
    match (arguments, &export.types.shape) {
        (Arguments::Bytes(bytes), Some(shape)) => {
            shaped(store, &function, (bytes,), shape.result).await
        }
        (Arguments::Text(text), Some(shape)) => {
            shaped(store, &function, (text,), shape.result).await
        }
        (arguments, _) => {
            let arguments = match arguments {
                Arguments::Values(vals) => vals,
                Arguments::Text(text) => vec![Val::String(text)],
                Arguments::Bytes(bytes) => vec![values::list(bytes)],
            };
            let mut results = vec![Val::Bool(false); usize::from(export.types.result.is_some())];
            function.call_async(&mut *store, &arguments, &mut results).await?;
            let bytes_max = store.data().limits.result_bytes_max;
            answered(export.types.result.as_ref(), results.pop(), bytes_max)
        }
    }
}

/// Calls an export of an instance by types that it must have.
pub(crate) async fn call_typed<P, R>(
    store: &mut Store<State>,
    instance: &Instance,
    export: &Export,
    arguments: P,
) -> wasmtime::Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let function = find(store, instance, export)?;
    typed(store, &function, arguments).await
}

fn find(store: &mut Store<State>, instance: &Instance, export: &Export) -> wasmtime::Result<Func> {
    instance
        .get_func(&mut *store, export.index)
        .ok_or_else(|| format_err!("it exports no function {}", export.path()))
}

async fn shaped<P>(
    store: &mut Store<State>,
    function: &Func,
    arguments: P,
    result: Given,
) -> wasmtime::Result<Answer>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
{
    Ok(match result {
        Given::Nothing => {
            let () = typed(store, function, arguments).await?;
            Ok(None)
        }
        Given::Bytes => {
            let (bytes,) = typed(store, function, arguments).await?;
            Ok(Some(of_bytes(bytes)))
        }
        Given::Text => {
            let (text,): (String,) = typed(store, function, arguments).await?;
            Ok(Some(of_text(&text)))
        }
        Given::BytesOrError => {
            let (given,): (Result<_, String>,) = typed(store, function, arguments).await?;
            given.map(|bytes| Some(of_bytes(bytes))).map_err(failed_with)
        }
        Given::TextOrError => {
            let (given,): (Result<String, String>,) = typed(store, function, arguments).await?;
            given.map(|text| Some(of_text(&text))).map_err(failed_with)
        }
    })
}

async fn typed<P, R>(store: &mut Store<State>, function: &Func, arguments: P) -> wasmtime::Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    function.typed::<P, R>(&mut *store)?.call_async(&mut *store, arguments).await
}

/// What a function gave, as a job's result or failure. A `result`'s error is the failure.
fn answered(
    ty: Option<&ValueType>,
    val: Option<Val>,
    bytes_max: usize,
) -> wasmtime::Result<Answer> {
    let (Some(ty), Some(val)) = (ty, val) else { return Ok(Ok(None)) };
    match (ty, val) {
        (ValueType::Result(ok, _), Val::Result(Ok(val))) => {
            let given = ok.as_deref().zip(val.as_deref());
            given.map(|(ty, val)| payload(ty, val, bytes_max)).transpose().map(Ok)
        }
        (ValueType::Result(_, err), Val::Result(Err(val))) => {
            failed(err.as_deref().zip(val.as_deref()), bytes_max).map(Err)
        }
        (ty, val) => Ok(Ok(Some(payload(ty, &val, bytes_max)?))),
    }
}

fn payload(ty: &ValueType, val: &Val, bytes_max: usize) -> wasmtime::Result<types::Payload> {
    match (ty, val) {
        (ValueType::Bytes, Val::List(bytes)) => Ok(of_bytes(values::raw(bytes))),
        (ty, val) => {
            let data = values::to_json(ty, val, bytes_max)
                .map_err(|Full| wasmtime::Error::from(Abort::Limit("result")))?;
            Ok(types::Payload { content_type: media::JSON.to_owned(), data })
        }
    }
}

/// A failure that tells the error's value: its text, or the name of its case as the code that failures
/// are grouped by, and all of it as the detail.
fn failed(error: Option<(&ValueType, &Val)>, bytes_max: usize) -> wasmtime::Result<types::Failure> {
    let Some((ty, val)) = error else {
        return Ok(failure("the function answered with an error".to_owned(), None, None));
    };
    if let Val::String(text) = val {
        return Ok(failed_with(text.clone()));
    }
    let code = match val {
        Val::Enum(name) | Val::Variant(name, _) => Some(name.clone()),
        _ => None,
    };
    let detail = payload(ty, val, bytes_max)?;
    let message = match &code {
        Some(case) => format!("the function answered with the error {case}"),
        None => "the function answered with an error".to_owned(),
    };
    Ok(failure(message, code, Some(detail)))
}

fn failed_with(text: String) -> types::Failure {
    let detail = of_text(&text);
    failure(text, None, Some(detail))
}

fn failure(
    message: String,
    code: Option<String>,
    detail: Option<types::Payload>,
) -> types::Failure {
    types::Failure { message, code, detail, disposition: types::Disposition::Retry }
}

fn of_bytes(data: Vec<u8>) -> types::Payload {
    types::Payload { content_type: media::BYTES.to_owned(), data }
}

/// A string's JSON.
fn of_text(text: &str) -> types::Payload {
    let data = serde_json::Value::from(text).to_string().into_bytes();
    types::Payload { content_type: media::JSON.to_owned(), data }
}
