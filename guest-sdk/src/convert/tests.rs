//! Every kind of type as input and as result.

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Size {
    width: u32,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Name(String);

#[track_caller]
fn check_in<T: FromPayload + PartialEq + std::fmt::Debug>(
    content_type: &str,
    data: impl Into<Vec<u8>>,
    expected: Result<T, &str>,
) {
    let found = T::from_payload(Payload::new(content_type, data));
    let found = found.map_err(|error| {
        assert_eq!(error.code.as_deref(), Some("invalid-input"));
        error.message
    });
    assert_eq!(found, expected.map_err(|reason| format!("invalid input: {reason}")));
}

#[track_caller]
fn check_out<T: ToPayload + Clone>(value: T, expected: Option<Payload>) {
    assert_eq!(value.to_payload(), Ok(expected.clone()));
    assert_eq!(value.into_payload(), Ok(expected.clone()));
    if let (Some(returns), Some(payload)) = (T::returns(), expected) {
        assert_eq!(returns, payload.content_type);
    }
}

#[test]
fn text_is_taken_as_text_or_as_a_json_string() {
    check_in("text/plain", "hé", Ok("hé".to_owned()));
    check_in("text/csv; charset=utf-8", "a,b", Ok("a,b".to_owned()));
    check_in("application/json", r#""a\nb""#, Ok("a\nb".to_owned()));
    check_in("text/plain", "", Ok(String::new()));
    check_in::<String>(
        "text/plain",
        [b'a', 0xff],
        Err("the text is no UTF-8: invalid utf-8 sequence of 1 bytes from index 1"),
    );
    check_in::<String>(
        "application/json",
        "7",
        Err("invalid type: integer `7`, expected a string at line 1 column 1"),
    );
    check_in::<String>(
        "image/png",
        "x",
        Err("expected text or a JSON string, not 1 bytes of \"image/png\""),
    );
    check_in::<String>("", "", Err("expected text or a JSON string, and there is none"));
}

#[test]
fn bytes_are_taken_whatever_they_are() {
    check_in("image/png", [0, 255], Ok(vec![0_u8, 255]));
    check_in("application/json", "[1]", Ok(b"[1]".to_vec()));
    check_in("", "", Ok(Vec::<u8>::new()));
}

#[test]
fn a_payload_is_taken_as_it_came() {
    check_in("image/png", [0, 255], Ok(Payload::new("image/png", [0, 255])));
}

#[test]
fn nothing_is_taken_where_there_is_nothing() {
    check_in("", "", Ok(()));
    check_in("application/json", " null\n", Ok(()));
    check_in::<()>(
        "application/json",
        "{}",
        Err("expected no input, not 2 bytes of \"application/json\""),
    );
}

#[test]
fn everything_else_is_json() {
    check_in("application/json", r#"{"width":7}"#, Ok(Size { width: 7 }));
    check_in("application/vnd.size+json", r#"{"width":7}"#, Ok(Size { width: 7 }));
    check_in::<Size>(
        "application/json",
        "{\n\"width\":-7}",
        Err("invalid value: integer `-7`, expected u32 at line 2 column 10"),
    );
    check_in::<Size>(
        "image/png",
        r#"{"width":7}"#,
        Err("expected JSON, not 11 bytes of \"image/png\""),
    );
}

#[test]
fn text_is_offered_to_json_types_as_a_string() {
    check_in("text/plain", "\"Ada\"\n", Ok(Name("\"Ada\"\n".to_owned())));
    check_in("text/plain", "x", Ok('x'));
    check_in::<u32>(
        "text/plain",
        "7",
        Err("invalid type: string \"7\", expected u32 at line 1 column 3"),
    );
}

#[test]
fn an_absent_input_is_null() {
    check_in("", "", Ok(None::<Size>));
    check_in::<Size>("", "", Err("invalid type: null, expected struct Size at line 1 column 4"));
}

#[test]
fn results_are_told_by_their_type() {
    check_out("hé".to_owned(), Some(Payload::text("hé")));
    check_out("hé", Some(Payload::text("hé")));
    check_out(vec![0_u8, 255], Some(Payload::bytes([0, 255])));
    check_out((), None);
    check_out(Payload::new("image/png", [0]), Some(Payload::new("image/png", [0])));
    check_out(7, Some(Payload::new("application/json", "7")));
    check_out(vec![1_u16], Some(Payload::new("application/json", "[1]")));
    check_out(None::<String>, Some(Payload::new("application/json", "null")));
    assert_eq!([1_u8, 2][..].to_payload(), Ok(Some(Payload::bytes([1, 2]))));
}

#[test]
fn what_json_cannot_hold_is_a_fatal_error() {
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = map.to_payload().unwrap_err();
    assert_eq!(error.code.as_deref(), Some("unserializable"));
    assert_eq!(error.message, "a value can't be written as JSON: key must be a string");
}

#[test]
fn types_say_what_they_accept() {
    assert_eq!(String::accepts(), Some(&["text/*", "application/json"][..]));
    assert_eq!(Size::accepts(), Some(&["application/json", "text/*"][..]));
    assert_eq!(<()>::accepts(), Some(&[][..]));
    assert_eq!(Vec::<u8>::accepts(), None);
    assert_eq!(Payload::accepts(), None);
    assert_eq!(Option::<Size>::accepts(), None, "it may be absent");
}

#[test]
fn what_is_stored_is_read_back() {
    #[track_caller]
    fn check<T: ToPayload + DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(value: T) {
        let stored = value.to_payload().unwrap().unwrap_or_default().data;
        assert_eq!(decode::<T>(stored).unwrap(), value);
    }
    check("text".to_owned());
    check(vec![0_u8, 255]);
    check(Size { width: 7 });
    check(());
    assert!(decode::<String>(vec![0xff]).is_err());
    assert!(decode::<Size>(b"{}".to_vec()).is_err());
}
