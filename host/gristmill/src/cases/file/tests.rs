//! Files of cases, faulty ones above all.

use super::*;

#[track_caller]
fn parse(text: &str) -> Vec<Case> {
    match CaseFile::parse(text.as_bytes(), Path::new(".")) {
        Ok(file) => file.cases,
        Err(faults) => panic!("{faults:?}"),
    }
}

fn faults(text: &str) -> Vec<String> {
    let path = PathBuf::from("a.toml");
    let faults = CaseFile::parse(text.as_bytes(), Path::new(".")).unwrap_err();
    CaseFileError { path, faults }.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn an_input_is_text_where_it_is_a_string_and_json_else() {
    let input = |line: &str| {
        let case = parse(&format!("[[case]]\nname = \"a\"\n{line}\n")).remove(0);
        (case.input.content_type, String::from_utf8(case.input.data.to_vec()).unwrap())
    };
    let pair = |content_type: &str, data: &str| (content_type.to_owned(), data.to_owned());
    assert_eq!(input("input = \"3\""), pair("text/plain", "3"));
    assert_eq!(input("input = 3"), pair("application/json", "3"));
    assert_eq!(input("input = { a = [1, true] }"), pair("application/json", "{\"a\":[1,true]}"));
    assert_eq!(input("input_json = '[null]'"), pair("application/json", "[null]"));
    assert_eq!(input("input_base64 = \"aGk=\""), pair("application/octet-stream", "hi"));
    assert_eq!(input("input = \"x\"\ncontent_type = \"text/csv\""), pair("text/csv", "x"));
    assert_eq!(input(""), pair("", ""));
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_line_and_column() {
    let text = "\
[[case]]
name = \"one\"
inptu = 1
timeout = \"soon\"

[[case]]
name = \"one\"
input = 1
input_file = \"x\"
expect.outcome = \"done\"
expect.within = { cpu = 3 }

[[case]]
input = nan
";
    let faults = faults(text);
    let starts = [
        "a.toml:3:1: `case.inptu`: this key isn't known; known are name, ",
        "a.toml:4:1: `case.timeout`: expected a time such as \"250ms\"",
        "a.toml:6:1: `case`: name: the case in line 1 has it already",
        "a.toml:9:1: `case.input_file`: input is given already: only one of them may be",
        "a.toml:10:8: `case.expect.outcome`: expected \"completed\" or \"failed\" or ",
        "a.toml:11:19: `case.expect.within.cpu`: expected a time",
        "a.toml:13:1: `case`: name is missing",
        "a.toml:14:1: `case.input`: JSON has no number nan",
    ];
    assert_eq!(faults.len(), starts.len(), "{faults:#?}");
    for (fault, start) in faults.iter().zip(starts) {
        assert!(fault.starts_with(start), "{fault}\n{start}");
    }
}

#[test]
fn a_file_without_cases_and_one_that_is_no_toml_are_faulty() {
    assert_eq!(faults(""), ["a.toml: it has no cases: each is a [[case]]"]);
    assert!(faults("[[case]\n")[0].starts_with("a.toml:1:"));
    assert!(faults("case = 3")[0].contains("expected a list, got 3"));
}

#[test]
fn a_value_of_the_cache_has_a_form_where_it_needs_one() {
    let text = "\
[[case]]
name = \"a\"
[case.cache]
text = \"hello\"
number = 3
json = { a = 1 }
object = { value = { value = 1 } }
bytes = { base64 = \"/w==\", ttl = \"1m\" }
[case.buckets.rates]
eur = \"1\"
";
    let case = parse(text).remove(0);
    let shown = |(key, entry): &(CacheKey, Entry)| {
        let value = entry.content.shown().to_string();
        format!("{key} {value} {:?}", entry.ttl.map(|ttl| ttl.as_secs()))
    };
    let cache: Vec<String> = case.cache.iter().map(shown).collect();
    assert_eq!(
        cache,
        [
            "cache.bytes {\"base64\":\"/w==\"} Some(60)",
            "cache.json {\"a\":1} None",
            "cache.number 3 None",
            "cache.object {\"value\":1} None",
            "cache.text \"hello\" None",
            "buckets.rates.eur \"1\" None",
        ]
    );
}

#[test]
fn a_failure_is_expected_where_something_is_expected_of_it() {
    let outcome = |expect: &str| {
        parse(&format!("[[case]]\nname = \"a\"\n{expect}\n")).remove(0).expected.outcome.to_string()
    };
    assert_eq!(outcome(""), "completed");
    assert_eq!(outcome("expect.error.code = \"x\""), "failed");
    assert_eq!(outcome("expect.outcome = \"trapped\"\nexpect.error.code = \"x\""), "trapped");
}

#[test]
fn arguments_and_environment_of_a_program_are_headers() {
    let text = "[[case]]\nname = \"a\"\nargs = [\"-x\"]\nenv = { LANG = \"de\" }\n";
    let case = parse(text).remove(0);
    assert_eq!(case.headers.get(ARGS_HEADER), Some("[\"-x\"]"));
    assert_eq!(case.headers.get(ENV_HEADER), Some("{\"LANG\":\"de\"}"));
}

#[test]
fn the_files_in_the_documentation_can_be_read() {
    let page = include_str!("../../../../../docs/testing.md");
    let fences = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let cases: usize = fences.map(|text| parse(text).len()).sum();
    assert_eq!(cases, 2);
}
