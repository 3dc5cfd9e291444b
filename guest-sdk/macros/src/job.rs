//! `#[job]`: a type beside the function, by which the SDK finds and calls it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Error, Expr, ExprArray, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Result,
    ReturnType, Safety, Signature, Token, Type,
    parse::{ParseStream, Parser as _},
    spanned::Spanned as _,
};

/// What the attribute says in its parentheses.
#[derive(Default)]
struct Arguments {
    name: Option<LitStr>,
    accepts: Option<Vec<LitStr>>,
    returns: Option<LitStr>,
    /// The types that its JSON is of, where the function reads and writes it itself.
    input: Option<Type>,
    output: Option<Type>,
}

/// What the function takes.
struct Parameters<'a> {
    ctx: bool,
    input: Option<&'a Type>,
}

/// The function as it is and its type; where something is wrong, the function and the errors, so
/// that nothing else complains that it is missing.
pub(crate) fn expand(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let job = syn::parse2(function.clone())
        .map_err(|error| Error::new(error.span(), "`#[job]` goes on a function"))
        .and_then(|function| job_type(arguments, &function));
    let job = job.unwrap_or_else(Error::into_compile_error);
    quote!(#function #job)
}

fn job_type(arguments: TokenStream, function: &ItemFn) -> Result<TokenStream> {
    let Arguments { name, accepts, returns, input: reads, output: writes } =
        Arguments::parse(arguments)?;
    let ItemFn { attrs, vis, sig, .. } = function;
    check_kind(sig)?;
    let parameters = Parameters::of(sig)?;
    let ReturnType::Type(_, output) = &sig.output else {
        return Err(Error::new(
            sig.paren_token.span.close(),
            "a job returns a `Result`: write `-> JobResult` if it has nothing to give",
        ));
    };

    let ident = &sig.ident;
    let name = name
        .unwrap_or_else(|| LitStr::new(ident.to_string().trim_start_matches("r#"), ident.span()));
    let summary = summary(attrs);
    let conditions: Vec<_> = attrs.iter().filter(|found| found.path().is_ident("cfg")).collect();
    let input = parameters.input.map_or_else(|| quote!(()), |input| quote!(#input));
    let call_arguments = match (parameters.ctx, parameters.input.is_some()) {
        (true, true) => quote!(ctx, input),
        (true, false) => quote!(ctx),
        (false, true) => quote!(input),
        (false, false) => quote!(),
    };
    let accepts = accepts.map(|types| {
        quote! {
            const ACCEPTS: ::core::option::Option<&'static [&'static str]> =
                ::core::option::Option::Some(&[#(#types),*]);
        }
    });
    let returns = returns.map(|media_type| {
        quote! {
            const RETURNS: ::core::option::Option<&'static str> =
                ::core::option::Option::Some(#media_type);
        }
    });
    let input_schema = schema("input_schema", reads, quote!(Self::Input));
    let output_schema = schema("output_schema", writes, quote!(Self::Output));
    let doc = format!("The job `{}`.", name.value());

    Ok(quote! {
        #(#conditions)*
        #[doc = #doc]
        #[allow(non_camel_case_types, reason = "it goes by the function's name")]
        #vis struct #ident {}

        #(#conditions)*
        #[automatically_derived]
        impl ::gristmill_guest::Job for #ident {
            type Input = #input;
            type Output = <#output as ::gristmill_guest::JobReturn>::Output;
            const NAME: &'static str = #name;
            const SUMMARY: &'static str = #summary;
            #accepts
            #returns

            #input_schema
            #output_schema

            #[allow(unused_variables, reason = "a job may do without its context or input")]
            fn run(
                ctx: &::gristmill_guest::Ctx,
                input: Self::Input,
            ) -> ::core::result::Result<Self::Output, ::gristmill_guest::JobError> {
                ::gristmill_guest::JobReturn::into_result(#ident(#call_arguments))
            }
        }
    })
}

impl Arguments {
    fn parse(tokens: TokenStream) -> Result<Arguments> {
        let all = |input: ParseStream<'_>| {
            let mut arguments = Arguments::default();
            while !input.is_empty() {
                arguments.take(input)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(arguments)
        };
        all.parse2(tokens)
    }

    fn take(&mut self, input: ParseStream<'_>) -> Result<()> {
        // Types are no expressions, of which all other values are.
        let named = |name: &str| input.fork().parse::<Ident>().is_ok_and(|found| found == name);
        for (name, slot) in [("input", &mut self.input), ("output", &mut self.output)] {
            if named(name) && input.peek2(Token![=]) {
                input.parse::<Ident>()?;
                input.parse::<Token![=]>()?;
                *slot = Some(input.parse()?);
                return Ok(());
            }
        }
        let meta: Meta = input.parse()?;
        let known = meta
            .require_name_value()
            .ok()
            .and_then(|pair| pair.path.get_ident().map(|name| (name.to_string(), &pair.value)));
        match known.as_ref().map(|(name, value)| (name.as_str(), *value)) {
            Some(("name", value)) => self.name = Some(function_name(text(value)?)?),
            Some(("accepts", Expr::Array(list))) => self.accepts = Some(texts(list)?),
            Some(("accepts", value)) => self.accepts = Some(vec![text(value)?]),
            Some(("returns", value)) => self.returns = Some(text(value)?),
            _ => {
                return Err(Error::new(
                    meta.span(),
                    "`#[job]` knows `name = \"…\"`, `accepts = \"…\"` or `[\"…\", \"…\"]`, \
                     `returns = \"…\"`, `input = Type` and `output = Type`",
                ));
            }
        }
        Ok(())
    }
}

/// The function that asks a type for its schema. Of the types in the function's signature only those
/// that are JSON are asked: here they are words, and which they are the compiler knows later.
fn schema(name: &str, said: Option<Type>, in_signature: TokenStream) -> TokenStream {
    let name = Ident::new(name, proc_macro2::Span::call_site());
    let (is_json, ty) = match said {
        Some(ty) => (quote!(true), quote!(#ty)),
        None => {
            (quote!(::gristmill_guest::macro_support::is_json::<#in_signature>()), in_signature)
        }
    };
    quote! {
        fn #name() -> ::core::option::Option<::std::string::String> {
            #[allow(unused_imports, reason = "one of them is enough for any type")]
            use ::gristmill_guest::macro_support::{Described as _, Undescribed as _};
            if !#is_json {
                return ::core::option::Option::None;
            }
            ::gristmill_guest::macro_support::schema(|to| {
                (&&::gristmill_guest::macro_support::Probe::<#ty>::NEW).members(to);
            })
        }
    }
}

/// The `/` stands between plugin and function where a job enqueues another.
fn function_name(name: LitStr) -> Result<LitStr> {
    let text = name.value();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.is_empty() || !text.chars().all(fits) {
        return Err(Error::new(
            name.span(),
            "a function's name is made of letters, digits, `_`, `-` and `.`",
        ));
    }
    Ok(name)
}

fn text(value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(Error::new(other.span(), "a string literal goes here")),
    }
}

fn texts(list: &ExprArray) -> Result<Vec<LitStr>> {
    list.elems.iter().map(text).collect()
}

fn check_kind(sig: &Signature) -> Result<()> {
    if let Some(token) = &sig.asyncness {
        return Err(Error::new(
            token.span(),
            "a job is no `async fn`: calls of the host wait without holding up other jobs",
        ));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        return Err(Error::new(token.span(), "a job is no `unsafe fn`: the host calls it"));
    }
    let takes_impl = sig.inputs.iter().find(
        |input| matches!(input, FnArg::Typed(typed) if matches!(*typed.ty, Type::ImplTrait(_))),
    );
    let generics = &sig.generics;
    if !generics.params.is_empty() {
        return Err(Error::new(generics.span(), "a job isn't generic: it has one type of input"));
    }
    if let Some(input) = takes_impl {
        return Err(Error::new(input.span(), "a job isn't generic: it has one type of input"));
    }
    Ok(())
}

impl Parameters<'_> {
    fn of(sig: &Signature) -> Result<Parameters<'_>> {
        let mut types = Vec::new();
        for input in &sig.inputs {
            match input {
                FnArg::Typed(typed) => types.push(&*typed.ty),
                FnArg::Receiver(this) => {
                    return Err(Error::new(this.span(), "a job is a free function, no method"));
                }
            }
        }
        match types[..] {
            [] => Ok(Parameters { ctx: false, input: None }),
            [only] if is_ctx(only) => Ok(Parameters { ctx: true, input: None }),
            [only] => Ok(Parameters { ctx: false, input: Some(owned(only)?) }),
            [ctx, input] if is_ctx(ctx) => Ok(Parameters { ctx: true, input: Some(owned(input)?) }),
            [first, _] => {
                Err(Error::new(first.span(), "the first of two parameters is `ctx: &Ctx`"))
            }
            [_, _, third, ..] => Err(Error::new(
                third.span(),
                "a job takes `ctx: &Ctx` and one input at most: gather inputs in a struct",
            )),
        }
    }
}

/// `&Ctx`, by whatever path.
fn is_ctx(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    let Type::Path(path) = &*reference.elem else { return false };
    reference.mutability.is_none()
        && path.path.segments.last().is_some_and(|segment| segment.ident == "Ctx")
}

/// The input is made for the call, so there is nobody to borrow it from.
fn owned(ty: &Type) -> Result<&Type> {
    match ty {
        Type::Reference(reference) => {
            let elem = &reference.elem;
            let is_str = matches!(&**elem, Type::Path(path) if path.path.is_ident("str"));
            Err(Error::new(
                ty.span(),
                if is_str {
                    "a job owns its input: take a `String`"
                } else {
                    "a job owns its input, and takes its context as `&Ctx`"
                },
            ))
        }
        owned => Ok(owned),
    }
}

/// The first paragraph of the documentation, in one line.
pub(crate) fn summary(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(text(&pair.value).ok()?.value()),
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
