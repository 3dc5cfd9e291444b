//! The rest of WASI: there to be linked, and without effect.
//!
//! Imports are no statement of need: every guest with a standard library imports most of WASI. So
//! what isn't granted is linked too, made from the component's own import types: a function that
//! can fail refuses (`access-denied` or the nearest code that its type has), any other answers that
//! there is nothing (no folders, no environment, no terminal). No file, socket or request is ever
//! behind it, and none of the engine's code for them is linked.

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{
    Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Type, Val,
};
use wasmtime::{Engine, StoreContextMut};

use crate::grants::Grants;
use crate::state::State;
use crate::wasi;

/// What stands behind every inert resource.
struct Inert;

/// Packages that are offered, inert where not real.
const OFFERED: [&str; 4] = ["wasi:cli/", "wasi:filesystem/", "wasi:sockets/", "wasi:http/"];
/// Inert unless folders are granted.
const FILES: &str = "wasi:filesystem/";

/// Error codes for a refusal, by how well they say it.
const REFUSALS: [&str; 6] = [
    "access-denied",
    "not-permitted",
    "HTTP-request-denied",
    "forbidden",
    "not-supported",
    "immutable",
];

/// Links what this component imports of WASI and is not real.
pub(crate) fn add_to_linker(
    linker: &mut Linker<State>,
    engine: &Engine,
    component: &Component,
    grants: &Grants,
) -> wasmtime::Result<()> {
    let ty = component.component_type();
    // A resource that one interface defines, others use: only the first says whose it is.
    let mut defined: Vec<ResourceType> = Vec::new();
    for (name, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let is_real = name.starts_with(FILES) && !grants.folders.is_empty();
        if offers(name) && !is_real {
            let mut target = linker.instance(name)?;
            add_instance(&mut target, engine, &instance, &defined)?;
        }
        for (_, item) in instance.exports(engine) {
            if let ComponentItem::Resource(resource) = item.ty
                && !defined.contains(&resource)
            {
                defined.push(resource);
            }
        }
    }
    Ok(())
}

/// Whether an import is one that is linked inert.
pub(crate) fn offers(import: &str) -> bool {
    let offered = OFFERED.iter().any(|start| import.starts_with(start));
    let version = import.rsplit_once('@').map_or("", |(_, version)| version);
    offered
        && version.starts_with("0.2.")
        && !wasi::REAL.iter().any(|real| import.starts_with(real))
}

fn add_instance(
    target: &mut LinkerInstance<'_, State>,
    engine: &Engine,
    instance: &ComponentInstance,
    defined: &[ResourceType],
) -> wasmtime::Result<()> {
    for (name, item) in instance.exports(engine) {
        match item.ty {
            ComponentItem::Resource(resource) if !defined.contains(&resource) => {
                target.resource(name, ResourceType::host::<Inert>(), |_, _| Ok(()))?;
            }
            ComponentItem::ComponentFunc(_) => {
                target.func_new_async(name, |store, ty, params, results| {
                    Box::new(refuse(store, ty, params, results))
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Answers a call as its type allows.
async fn refuse(
    mut store: StoreContextMut<'_, State>,
    ty: ComponentFunc,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    // What was lent must be given back before the call ends, and what was given is ours to drop.
    let mut resources = Vec::new();
    params.iter().for_each(|param| collect_resources(param, &mut resources));
    for resource in resources {
        resource.resource_drop_async(&mut store).await?;
    }
    for (result, ty) in results.iter_mut().zip(ty.results()) {
        *result = nothing(&mut store, &ty)?;
    }
    Ok(())
}

fn collect_resources(value: &Val, found: &mut Vec<ResourceAny>) {
    match value {
        Val::Resource(resource) => found.push(*resource),
        Val::List(values) | Val::Tuple(values) => {
            values.iter().for_each(|value| collect_resources(value, found));
        }
        Val::Record(fields) => {
            fields.iter().for_each(|(_, value)| collect_resources(value, found));
        }
        Val::Variant(_, Some(value))
        | Val::Option(Some(value))
        | Val::Result(Ok(Some(value)) | Err(Some(value))) => collect_resources(value, found),
        _ => {}
    }
}

/// The value of a type that says the least: a refusal where it can say so, else nothing.
fn nothing(store: &mut StoreContextMut<'_, State>, ty: &Type) -> wasmtime::Result<Val> {
    Ok(match ty {
        Type::Bool => Val::Bool(false),
        Type::S8 => Val::S8(0),
        Type::U8 => Val::U8(0),
        Type::S16 => Val::S16(0),
        Type::U16 => Val::U16(0),
        Type::S32 => Val::S32(0),
        Type::U32 => Val::U32(0),
        Type::S64 => Val::S64(0),
        Type::U64 => Val::U64(0),
        Type::Float32 => Val::Float32(0.0),
        Type::Float64 => Val::Float64(0.0),
        Type::Char => Val::Char('\0'),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Flags(_) => Val::Flags(Vec::new()),
        Type::Record(record) => {
            let mut fields = Vec::new();
            for field in record.fields() {
                fields.push((field.name.to_owned(), nothing(store, &field.ty)?));
            }
            Val::Record(fields)
        }
        Type::Tuple(tuple) => {
            let mut values = Vec::new();
            for ty in tuple.types() {
                values.push(nothing(store, &ty)?);
            }
            Val::Tuple(values)
        }
        Type::Enum(cases) => Val::Enum(refusal(cases.names()).to_owned()),
        Type::Variant(variant) => {
            let name = refusal(variant.cases().map(|case| case.name)).to_owned();
            let payload = variant.cases().find(|case| case.name == name).and_then(|case| case.ty);
            let payload = match payload {
                Some(ty) => Some(Box::new(nothing(store, &ty)?)),
                None => None,
            };
            Val::Variant(name, payload)
        }
        Type::Result(result) => {
            let error = match result.err() {
                Some(ty) => Some(Box::new(nothing(store, &ty)?)),
                None => None,
            };
            Val::Result(Err(error))
        }
        Type::Own(_) => {
            let handle = Resource::<Inert>::new_own(0);
            Val::Resource(ResourceAny::try_from_resource(handle, store)?)
        }
        other => wasmtime::bail!("an inert function can't answer with {other:?}"),
    })
}

/// The case that refuses most clearly; the first one where none does.
fn refusal<'a>(names: impl Iterator<Item = &'a str>) -> &'a str {
    let rank = |name: &str| REFUSALS.iter().position(|refusal| *refusal == name);
    names.min_by_key(|name| rank(name).unwrap_or(usize::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clearest_refusal_is_chosen() {
        assert_eq!(
            refusal(["unknown", "access-denied", "not-supported"].into_iter()),
            "access-denied"
        );
        assert_eq!(
            refusal(["DNS-timeout", "HTTP-request-denied"].into_iter()),
            "HTTP-request-denied"
        );
        assert_eq!(refusal(["a", "b"].into_iter()), "a");
    }

    #[test]
    fn only_known_packages_of_wasi_0_2_are_offered() {
        assert!(offers("wasi:filesystem/types@0.2.6"));
        assert!(offers("wasi:http/incoming-handler@0.2.0"));
        assert!(!offers("wasi:io/streams@0.2.6"), "it is real");
        assert!(!offers("wasi:http/types@0.2.0"), "it is real");
        assert!(!offers("wasi:filesystem/types@0.3.0"));
        assert!(!offers("wasi:nn/tensor@0.2.0"));
        assert!(!offers("acme:filesystem/types@0.2.0"));
    }
}
