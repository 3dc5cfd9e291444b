//! The documentation as a book: every page is in its list, and every link leads somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use crate::checkout::{File, check_faults, files};

/// Where the book's pages are, and the list of them.
const BOOK: &str = "docs/";
const LIST: &str = "docs/SUMMARY.md";

/// A link to a place in the checkout: the line that it is in, the path and what it means there.
struct Link<'a> {
    line: usize,
    path: &'a str,
    heading: Option<&'a str>,
}

/// The links of a page that lead to a place in the checkout. What is in a fence is no link.
fn links(page: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (line, text) in prose(page) {
        // What is between backticks is no link either.
        for text in text.split('`').step_by(2) {
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
                let (path, heading) = match target.split_once('#') {
                    Some((path, heading)) => (path, Some(heading)),
                    None => (target, None),
                };
                links.push(Link { line, path, heading });
            }
        }
    }
    links
}

/// The lines outside of fences, with their numbers.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    page.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((at + 1, line))
    })
}

/// The names by which a page's headings are linked to: lower case, hyphens for spaces, nothing else
/// but letters, digits and underscores.
fn headings(page: &str) -> BTreeSet<String> {
    let titles = prose(page).filter_map(|(_, line)| {
        line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
    });
    let name = |title: &str| {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
    };
    titles.map(name).collect()
}

/// Where a link on a page leads to, from the root.
fn resolved(page: &str, path: &str) -> String {
    if path.is_empty() {
        return page.to_owned();
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn link_faults(page: &File, pages: &[File], is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for link in links(&page.text) {
        let path = resolved(&page.path, link.path);
        let target = pages.iter().chain([page]).find(|page| page.path == path);
        // The book is read without the checkout around it.
        let leaves_the_book = page.path.starts_with(BOOK) && !path.starts_with(BOOK);
        let fault = match (target, link.heading) {
            _ if leaves_the_book => format!("{path} isn't in the book"),
            (None, _) if !is_there(&path) => format!("there is no {path}"),
            (Some(target), Some(heading)) if !headings(&target.text).contains(heading) => {
                format!("{path} has no heading #{heading}")
            }
            _ => continue,
        };
        faults.push(page.fault(link.line, &fault));
    }
    faults
}

fn list_faults(list: &str, pages: &[File]) -> Vec<String> {
    let listed: Vec<String> = links(list).iter().map(|link| resolved(LIST, link.path)).collect();
    let in_book = pages.iter().filter(|page| page.path.starts_with(BOOK) && page.path != LIST);
    let count = |path: &str| listed.iter().filter(|listed| *listed == path).count();
    let uncounted = in_book.filter(|page| count(&page.path) != 1);
    uncounted
        .map(|page| format!("{} is {} times in {LIST}", page.path, count(&page.path)))
        .collect()
}

fn pages() -> Vec<File> {
    files().into_iter().filter(|file| file.is("md")).collect()
}

#[test]
fn every_link_on_a_page_leads_somewhere() {
    let pages = pages();
    let is_there = |path: &str| Path::new(&crate::checkout::root()).join(path).exists();
    let faults = pages.iter().flat_map(|page| link_faults(page, &pages, is_there));
    check_faults(&faults.collect::<Vec<_>>());
}

#[test]
fn a_dead_link_is_found() {
    let page = |path, text| File::sample(path, text);
    let pages = [
        page("README.md", "# Top\n\n## Run `it`, now\n"),
        page("docs/a.md", "# A\n\n```\n# no heading\n```\n"),
    ];
    let count = |path, text| link_faults(&page(path, text), &pages, |path| path == "docs").len();
    assert_eq!(count("x.md", "[a](docs/a.md#a), [b](README.md#run-it-now), [c](docs)"), 0);
    assert_eq!(count("docs/b.md", "[a](a.md) `[x](y)` [web](https://example.com/x)\n"), 0);
    assert_eq!(count("docs/b.md", "```\n[a](none.md)\n```\n"), 0);
    assert_eq!(count("docs/b.md", "# B\n\n[b](#b) and [c](#c)\n"), 1);
    assert_eq!(count("docs/b.md", "[a](none.md), [b](a.md#no-heading)\n"), 2);
    assert_eq!(count("docs/b.md", "[out](../README.md)\n"), 1);
}

#[test]
fn every_page_of_the_book_is_listed_once() {
    let pages = pages();
    let list = pages.iter().find(|page| page.path == LIST).unwrap();
    check_faults(&list_faults(&list.text, &pages));
}

#[test]
fn a_page_that_is_not_listed_is_found() {
    let pages = [File::sample("docs/a.md", ""), File::sample("docs/b.md", "")];
    assert_eq!(list_faults("- [A](a.md)\n- [B](b.md)\n", &pages).len(), 0);
    assert_eq!(list_faults("- [A](a.md)\n- [A](a.md)\n", &pages).len(), 2);
}
