//! The contract in `wit/`: every item says what it means.

use crate::checkout::{File, check};

/// How lines start that name no item of their own.
const NO_ITEMS: [&str; 8] = ["//", "}", ")", "package ", "use ", "include ", "import ", "export "];

fn doc_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if !file.is("wit") {
        return faults;
    }
    let mut documented = false;
    let mut open_parentheses = 0;
    for (at, line) in file.text.lines().enumerate() {
        let line = line.trim();
        let inside_item = open_parentheses > 0;
        if !line.starts_with("//") {
            open_parentheses += line.matches('(').count();
            open_parentheses -= line.matches(')').count().min(open_parentheses);
        }
        // An annotation stands between an item and its documentation.
        if inside_item || line.starts_with('@') {
            continue;
        }
        let is_item = !line.is_empty() && !NO_ITEMS.iter().any(|start| line.starts_with(start));
        if is_item && !documented {
            faults.push(file.fault(at + 1, "an item of the contract without a `///`"));
        }
        if is_item && line.contains('{') && !line.ends_with('{') {
            faults.push(file.fault(at + 1, "members on one line can't be documented"));
        }
        documented = line.starts_with("///");
    }
    faults
}

#[test]
fn every_item_of_the_contract_is_documented() {
    check(doc_faults);
}

#[test]
fn an_item_without_documentation_is_found() {
    let count = |text| doc_faults(&File::sample("wit/a.wit", text)).len();
    assert_eq!(count("package a:b;\n\n/// I.\ninterface i {\n    use x.{y};\n}\n"), 0);
    assert_eq!(count("interface i {\n    record r {\n        f: u8,\n    }\n}\n"), 3);
    assert_eq!(count("/// F.\n@since(version = 0.1.0)\nf: func(\n    a: u8,\n) -> u8;\n"), 0);
    assert_eq!(count("/// F.\nf: func();\ng: func();\n"), 1);
    assert_eq!(count("/// Not of this item.\n\nf: func();\n"), 1);
    assert_eq!(count("/// E.\nenum e { a, b }\n"), 1);
}
