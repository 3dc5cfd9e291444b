//! Rules on Rust sources, and on the size of whatever is code.

use crate::checkout::{File, check};
use crate::tokens;

/// What a reader takes in as one idea.
const FILE_LINES_MAX: usize = 400;

/// What fits a screen.
const FUNCTION_LINES_MAX: usize = 70;

/// Which files may set aside the ban on clocks, sleeping, unwatched tasks and the environment.
const CLOCK_READERS: [&str; 1] = [
    // The clocks that everyone else is given.
    "host/job/src/time.rs",
];

fn is_source(file: &File) -> bool {
    file.is("rs") && !file.is_generated()
}

/// How sources of other languages than Rust start.
const HEADS: [(&str, &str); 4] = [("c", "// "), ("h", "// "), ("js", "// "), ("py", "\"\"\"")];

fn module_doc_faults(file: &File) -> Vec<String> {
    let other = HEADS.iter().find(|(extension, _)| file.is(extension)).map(|(_, head)| *head);
    let Some(head) = other.or(is_source(file).then_some("//! ")) else { return Vec::new() };
    if file.text.starts_with(head) {
        return Vec::new();
    }
    vec![file.fault(1, &format!("doesn't start with a `{}` that says what it is for", head.trim()))]
}

fn file_length_faults(file: &File) -> Vec<String> {
    let is_code = is_source(file)
        || !file.is_generated()
            && ["c", "h", "js", "lua", "py", "wit"].iter().any(|extension| file.is(extension))
        || file.text.starts_with("#!/");
    let lines = file.text.lines().count();
    if !is_code || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![file.fault(FILE_LINES_MAX, &format!("{lines} lines, and {FILE_LINES_MAX} are the most"))]
}

fn function_length_faults(file: &File) -> Vec<String> {
    if !is_source(file) {
        return Vec::new();
    }
    let functions = tokens::functions(&tokens::of(file)).into_iter().filter_map(|function| {
        let lines = function.last_line - function.first_line + 1;
        (lines > FUNCTION_LINES_MAX).then(|| {
            let name = function.name;
            file.fault(
                function.first_line,
                &format!("`{name}` has {lines} lines, and {FUNCTION_LINES_MAX} are the most"),
            )
        })
    });
    functions.collect()
}

fn unwrap_faults(file: &File) -> Vec<String> {
    if !is_source(file) || file.is_test() {
        return Vec::new();
    }
    let tokens = tokens::without_tests(tokens::of(file));
    let lines = tokens::calls_of("unwrap", &tokens).into_iter();
    lines.map(|line| file.fault(line, "`.unwrap()` outside of tests")).collect()
}

fn reason_faults(file: &File) -> Vec<String> {
    if !is_source(file) {
        return Vec::new();
    }
    let exceptions = tokens::exceptions(&tokens::of(file)).into_iter();
    exceptions
        .filter(|exception| !exception.has("reason"))
        .map(|exception| file.fault(exception.line, "an exception from a lint without a reason"))
        .collect()
}

fn clock_faults(file: &File) -> Vec<String> {
    if !is_source(file) || file.is_test() || CLOCK_READERS.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let exceptions = tokens::exceptions(&tokens::without_tests(tokens::of(file))).into_iter();
    exceptions
        .filter(|exception| exception.has("disallowed_methods"))
        .map(|exception| file.fault(exception.line, "time and chance are arguments: take a clock"))
        .collect()
}

/// Fails unless `rule` finds as many faults in a file `path` with this text.
#[track_caller]
fn finds(faults: usize, rule: fn(&File) -> Vec<String>, path: &str, text: &str) {
    let found = rule(&File::sample(path, text));
    assert_eq!(found.len(), faults, "{found:?}");
}

#[test]
fn every_source_says_at_its_head_what_it_is_for() {
    check(module_doc_faults);
}

#[test]
fn a_source_without_a_head_is_found() {
    finds(0, module_doc_faults, "host/x/src/lib.rs", "//! Doors.\nmod x;\n");
    finds(1, module_doc_faults, "host/x/src/lib.rs", "// Doors.\nmod x;\n");
    finds(1, module_doc_faults, "host/x/src/lib.rs", "");
    finds(0, module_doc_faults, "host/x/README.md", "Doors.\n");
    finds(1, module_doc_faults, "guest-sdk/js/src/x.js", "import x;\n");
    finds(0, module_doc_faults, "guest-sdk/js/src/x.js", "// Doors.\n");
    finds(1, module_doc_faults, "guest-sdk/python/x.py", "# Doors.\n");
}

#[test]
fn every_file_is_one_idea_long() {
    check(file_length_faults);
}

#[test]
fn a_file_that_is_too_long_is_found() {
    finds(0, file_length_faults, "a.rs", &"//\n".repeat(FILE_LINES_MAX));
    finds(1, file_length_faults, "a.rs", &"//\n".repeat(FILE_LINES_MAX + 1));
    finds(1, file_length_faults, "a.lua", &"--\n".repeat(FILE_LINES_MAX + 1));
    finds(1, file_length_faults, "a.js", &"//\n".repeat(FILE_LINES_MAX + 1));
    finds(1, file_length_faults, "a.py", &"#\n".repeat(FILE_LINES_MAX + 1));
    finds(0, file_length_faults, "a.snap", &"--\n".repeat(FILE_LINES_MAX + 1));
}

#[test]
fn every_function_fits_a_screen() {
    check(function_length_faults);
}

#[test]
fn a_function_that_is_too_long_is_found() {
    let function = |lines: usize| {
        format!("impl X {{ fn f<T>(t: T) -> T where T: Copy {{{}}} }}", "\n".repeat(lines - 1))
    };
    finds(0, function_length_faults, "a.rs", &function(FUNCTION_LINES_MAX));
    finds(1, function_length_faults, "a.rs", &function(FUNCTION_LINES_MAX + 1));
    let declared = format!("trait X {{ fn f(g: fn() -> u8); }}{}struct Y {{}}", "\n".repeat(99));
    finds(0, function_length_faults, "a.rs", &declared);
}

#[test]
fn nothing_unwraps_outside_of_tests() {
    check(unwrap_faults);
}

#[test]
fn an_unwrap_is_found_in_a_macro_but_not_in_a_test() {
    finds(1, unwrap_faults, "a.rs", "fn f() { info!(\"{}\", x.unwrap()); }");
    finds(0, unwrap_faults, "a.rs", "/// `x.unwrap()`\nfn f() { x.unwrap_or(1); }");
    finds(0, unwrap_faults, "tests/a.rs", "fn f() { x.unwrap(); }");
    let tested = "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }\nfn g() { y.unwrap(); }";
    finds(1, unwrap_faults, "a.rs", tested);
    finds(1, unwrap_faults, "a.rs", "#[cfg(not(test))]\nfn f() { x.unwrap(); }");
    finds(1, unwrap_faults, "a.rs", "#[cfg(test)] mod tests;\nfn f() { x.unwrap(); }");
}

#[test]
fn every_exception_from_a_lint_has_a_reason() {
    check(reason_faults);
}

#[test]
fn an_exception_without_a_reason_is_found() {
    finds(1, reason_faults, "a.rs", "#[allow(dead_code)]\nfn f() {}");
    finds(1, reason_faults, "a.rs", "#![cfg_attr(test, expect(dead_code))]");
    finds(1, reason_faults, "a.rs", "mod x { #[expect(dead_code)] fn f() {} }");
    finds(0, reason_faults, "a.rs", "#[expect(dead_code, reason = \"soon\")]\nfn f() { allow(1) }");
}

#[test]
fn only_the_named_files_read_clocks() {
    check(clock_faults);
}

#[test]
fn a_reader_of_clocks_is_found() {
    let reads = "#[expect(clippy::disallowed_methods, reason = \"now\")]\nfn f() {}";
    finds(1, clock_faults, "host/queue/src/lib.rs", reads);
    finds(0, clock_faults, CLOCK_READERS[0], reads);
    finds(0, clock_faults, "host/queue/src/tests.rs", reads);
}
