//! Access tokens: what they look like, and what is kept of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use utoipa::ToSchema;

use crate::limits;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To enqueue jobs, and to see and cancel those whose ids are known.
    Enqueue,
    /// To see everything.
    Read,
    /// To do everything.
    Admin,
}

impl Role {
    const ALL: [Self; 3] = [Self::Enqueue, Self::Read, Self::Admin];

    /// The role's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The roles of one token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles(u8);

impl Roles {
    pub(crate) fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    pub(crate) fn names(self) -> String {
        let names = Role::ALL.into_iter().filter(|role| self.has(*role)).map(Role::as_str);
        names.collect::<Vec<_>>().join(" and ")
    }
}

/// A text that doesn't say which tokens there are. The token itself is never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("access token {number}: {problem}")]
pub struct InvalidToken {
    /// Which of them, counted from 1.
    number: usize,
    problem: String,
}

/// The tokens that are known. Only their hashes are kept.
#[derive(Clone, Default)]
pub struct Tokens(Arc<[Token]>);

struct Token {
    hash: [u8; 32],
    roles: Roles,
}

impl Tokens {
    /// Reads tokens, each on a line of its own or set apart by commas: `ROLE:TOKEN`, or
    /// `ROLE+ROLE:TOKEN`. Lines that begin with `#` are remarks.
    ///
    /// # Errors
    /// [`InvalidToken`] says which of them is wrong, and how.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let entries = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let mut tokens: Vec<Token> = Vec::new();
        for (index, entry) in entries.enumerate() {
            let number = index + 1;
            let token = parse_one(entry).map_err(|problem| InvalidToken { number, problem })?;
            if tokens.iter().any(|known| known.hash == token.hash) {
                let problem = "it is there twice; one token may have several roles: \
                               enqueue+read:TOKEN"
                    .to_owned();
                return Err(InvalidToken { number, problem });
            }
            tokens.push(token);
            if tokens.len() > limits::TOKENS_MAX {
                let problem = format!("these are more than {}", limits::TOKENS_MAX);
                return Err(InvalidToken { number, problem });
            }
        }
        Ok(Self(tokens.into()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roles of a token that somebody shows. Takes as long whichever it is, and whether it is
    /// one or not.
    pub(crate) fn roles(&self, shown: &[u8]) -> Option<Roles> {
        let hash = hash(shown);
        let (mut found, mut roles) = (Choice::from(0), 0);
        for token in &*self.0 {
            let same = token.hash.ct_eq(&hash);
            roles = u8::conditional_select(&roles, &token.roles.0, same);
            found |= same;
        }
        bool::from(found).then_some(Roles(roles))
    }
}

/// There is nothing in it to be shown.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn parse_one(entry: &str) -> Result<Token, String> {
    let (names, token) = entry.split_once(':').ok_or("it is not written ROLE:TOKEN")?;
    let mut roles = Roles(0);
    for name in names.split('+') {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == name.trim());
        let role = role.ok_or_else(|| {
            let shown: String = name.chars().take(limits::ROLE_SHOWN_CHARS).collect();
            format!("{shown:?} is no role; there are enqueue, read and admin")
        })?;
        roles.0 |= role.bit();
    }
    if token.len() < limits::TOKEN_BYTES_MIN {
        let (least, given) = (limits::TOKEN_BYTES_MIN, token.len());
        return Err(format!(
            "it has {given} characters, which can be guessed; {least} are the least: make one with \
             `openssl rand -hex 32`"
        ));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds other characters than visible ones of ASCII".to_owned());
    }
    Ok(Token { hash: hash(token.as_bytes()), roles })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# who is who\nadmin:0123456789abcdef\n\n\
                        enqueue:fedcba9876543210, enqueue+read:0123456789ABCDEF\n";

    #[test]
    fn a_token_has_the_roles_that_are_written_before_it() {
        let tokens = Tokens::parse(TEXT).unwrap();
        let names = |token: &str| tokens.roles(token.as_bytes()).map(Roles::names);
        assert_eq!(names("0123456789abcdef").as_deref(), Some("admin"));
        assert_eq!(names("fedcba9876543210").as_deref(), Some("enqueue"));
        assert_eq!(names("0123456789ABCDEF").as_deref(), Some("enqueue and read"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "admin:0123456789abcdef"] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said_without_showing_it() {
        let refused = |text: &str, said: &str| {
            let error = Tokens::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        };
        refused("admin:hunter2", "token 1: it has 7 characters");
        refused("admin:0123456789abcdef,root:hunter2hunter2hunter2", "token 2: \"root\" is no");
        refused("hunter2hunter2hunter2", "not written ROLE:TOKEN");
        refused("read:hunter2hunter2 hunter2", "visible ones");
        refused("read:hunter2hunter2hunter2,admin:hunter2hunter2hunter2", "token 2: it is there");
    }

    #[test]
    fn no_token_is_kept_or_shown() {
        assert_eq!(format!("{:?}", Tokens::parse(TEXT).unwrap()), "Tokens(3)");
        assert!(Tokens::parse("# nothing\n").unwrap().is_empty());
    }
}
