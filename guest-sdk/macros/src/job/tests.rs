//! What `#[job]` makes of functions, and what it says of those that are no jobs.

use super::*;

/// What the compiler says of a function with the attribute; none: it takes it.
fn complaint(arguments: TokenStream, function: TokenStream) -> Option<String> {
    let expanded = expand(arguments, function.clone()).to_string();
    let added = expanded.strip_prefix(&function.to_string()).expect("the function stays");
    let (_, message) = added.split_once("compile_error ! { \"")?;
    Some(message.rsplit_once("\" }").expect("the message ends").0.to_owned())
}

#[track_caller]
fn check(function: TokenStream, expected: &str) {
    let complaint = complaint(TokenStream::new(), function).unwrap_or_default();
    assert!(complaint.contains(expected), "{complaint:?}");
}

#[track_caller]
fn check_arguments(arguments: TokenStream, expected: &str) {
    let complaint = complaint(
        arguments,
        quote!(
            fn f() -> JobResult {}
        ),
    )
    .unwrap_or_default();
    assert!(complaint.contains(expected), "{complaint:?}");
}

#[test]
fn functions_that_can_be_jobs_are_taken() {
    for function in [
        quote!(
            fn f() -> JobResult {}
        ),
        quote!(
            fn f(ctx: &Ctx) -> JobResult {}
        ),
        quote!(
            fn f(ctx: &gristmill_guest::Ctx, input: String) -> Result<(), Error> {}
        ),
        quote!(
            pub fn f(Resize { width }: Resize) -> JobResult<Vec<u8>> {}
        ),
    ] {
        assert_eq!(complaint(TokenStream::new(), function), None);
    }
}

#[test]
fn functions_that_cannot_be_jobs_are_told_why() {
    for (function, expected) in [
        ("async fn f() -> JobResult {}", "a job is no `async fn`"),
        ("unsafe fn f() -> JobResult {}", "a job is no `unsafe fn`"),
        ("fn f<T>(input: T) -> JobResult {}", "a job isn't generic"),
        ("fn f(input: impl Read) -> JobResult {}", "a job isn't generic"),
        ("fn f(&self) -> JobResult {}", "a job is a free function"),
        ("fn f(ctx: &Ctx, a: A, b: B) -> JobResult {}", "one input at most"),
        ("fn f(input: A, ctx: &Ctx) -> JobResult {}", "the first of two parameters"),
        ("fn f(ctx: &mut Ctx, a: A) -> JobResult {}", "the first of two parameters"),
        ("fn f(input: &str) -> JobResult {}", "take a `String`"),
        ("fn f(ctx: &mut Ctx) -> JobResult {}", "takes its context as `&Ctx`"),
        ("fn f(ctx: &Ctx, input: &Resize) -> JobResult {}", "a job owns its input"),
        ("fn f(ctx: &Ctx) {}", "write `-> JobResult`"),
        ("struct F;", "`#[job]` goes on a function"),
    ] {
        check(function.parse().unwrap(), expected);
    }
}

#[test]
fn arguments_that_are_not_known_are_told_which_are() {
    check_arguments(quote!(retries = 5), "`#[job]` knows `name");
    check_arguments(quote!(name), "`#[job]` knows `name");
    check_arguments(quote!(name = 5), "a string literal goes here");
    check_arguments(quote!(accepts = ["a/b", 5]), "a string literal goes here");
    check_arguments(quote!(name = "a/b"), "a function's name is made of");
    check_arguments(quote!(name = ""), "a function's name is made of");
}

#[test]
fn the_summary_is_the_first_paragraph_in_one_line() {
    let function: ItemFn = syn::parse_quote! {
        /// Scales
        ///   a picture.
        ///
        /// And more.
        #[inline]
        fn f() {}
    };
    assert_eq!(summary(&function.attrs), "Scales a picture.");
    assert_eq!(summary(&[]), "");
}

#[test]
fn what_is_compiled_under_a_condition_stays_so() {
    let expanded = expand(
        TokenStream::new(),
        quote!(
            #[cfg(unix)]
            fn f() -> JobResult {}
        ),
    );
    assert_eq!(expanded.to_string().matches("cfg (unix)").count(), 3);
}
