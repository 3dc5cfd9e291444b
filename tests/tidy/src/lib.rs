//! Tests that keep the house: rules on the checkout that no compiler checks.
//!
//! Each rule is a function from what it looks at to the faults that it finds. Two tests belong to
//! it: one shows it a fault, one shows it the checkout. Exceptions are lists beside the rule, with a
//! reason each; a rule that needs many is the wrong rule.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod book;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod tokens;
