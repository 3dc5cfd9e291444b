//! What can't be described, and how names are made.

use super::*;

#[track_caller]
fn check_refused(item: TokenStream, expected: &str) {
    let expanded = expand(item).to_string();
    assert!(expanded.contains("compile_error") && expanded.contains(expected), "{expanded}");
}

#[test]
fn what_cannot_be_described_is_told_why() {
    check_refused(
        quote!(
            struct S<T>(T);
        ),
        "types without parameters",
    );
    check_refused(quote!(union U { a: u8 }), "structs and enums");
    check_refused(
        quote!(
            #[serde(tag = 5)]
            enum E {
                A,
            }
        ),
        "expected string literal",
    );
}

#[test]
fn names_follow_the_rule_as_serde_has_it() {
    let both =
        |rule| (renamed("max_width", Some(rule), false), renamed("MaxWidth", Some(rule), true));
    for (rule, field, variant) in [
        ("lowercase", "max_width", "maxwidth"),
        ("UPPERCASE", "MAX_WIDTH", "MAXWIDTH"),
        ("PascalCase", "MaxWidth", "MaxWidth"),
        ("camelCase", "maxWidth", "maxWidth"),
        ("snake_case", "max_width", "max_width"),
        ("SCREAMING_SNAKE_CASE", "MAX_WIDTH", "MAX_WIDTH"),
        ("kebab-case", "max-width", "max-width"),
        ("SCREAMING-KEBAB-CASE", "MAX-WIDTH", "MAX-WIDTH"),
    ] {
        assert_eq!(both(rule), (field.to_owned(), variant.to_owned()), "{rule}");
    }
}

#[test]
fn texts_are_written_as_json() {
    assert_eq!(quoted("a\"\\\n"), "\"a\\\"\\\\\\u000a\"");
}
