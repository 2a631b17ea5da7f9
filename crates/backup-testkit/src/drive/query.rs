//! The parameter `q`: which files are wanted, by the reference's "Search query terms".

use super::{
    files::DriveFile,
    refusal::{Refusal, Result},
};

/// A condition on files.
#[derive(Debug)]
pub(super) enum Query {
    And(Vec<Query>),
    Or(Vec<Query>),
    Not(Box<Query>),
    Name(Text),
    MimeType(Text),
    Trashed(bool),
    InParents(String),
    InOwners(String),
}

/// A condition on a text.
#[derive(Debug)]
pub(super) enum Text {
    Is(String),
    IsNot(String),
    BeginsWith(String),
    Contains(String),
}

impl Text {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(other) => text == other,
            Self::IsNot(other) => text != other,
            Self::BeginsWith(start) => text.starts_with(start.as_str()),
            Self::Contains(part) => text.contains(part.as_str()),
        }
    }
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut tokens = tokens(text)?;
        tokens.reverse();
        let query = either(&mut tokens)?;
        if tokens.is_empty() { Ok(query) } else { Err(invalid()) }
    }

    pub(super) fn holds(&self, file: &DriveFile, me: &str) -> bool {
        match self {
            Self::And(all) => all.iter().all(|query| query.holds(file, me)),
            Self::Or(any) => any.iter().any(|query| query.holds(file, me)),
            Self::Not(query) => !query.holds(file, me),
            Self::Name(text) => text.holds(&file.name),
            Self::MimeType(text) => text.holds(&file.mime_type),
            Self::Trashed(trashed) => file.trashed == *trashed,
            Self::InParents(id) => file.parent == *id,
            Self::InOwners(owner) if owner == "me" => file.owner == me,
            Self::InOwners(owner) => file.owner == *owner,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let after = if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, after) = unquoted(quoted)?;
            tokens.push(Token::Quoted(text));
            after
        } else if let Some(sign) = ["!=", "=", "(", ")"].into_iter().find(|s| rest.starts_with(s)) {
            tokens.push(Token::Sign(sign));
            &rest[sign.len()..]
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            if end == 0 {
                return Err(invalid());
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            &rest[end..]
        };
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// `\'` and `\\` stand for themselves in a text.
fn unquoted(text: &str) -> Result<(String, &str)> {
    let (mut found, mut chars) = (String::new(), text.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '\'' => return Ok((found, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('\'' | '\\'))) => found.push(escaped),
                _ => return Err(invalid()),
            },
            _ => found.push(char),
        }
    }
    Err(invalid())
}

fn either(tokens: &mut Vec<Token>) -> Result<Query> {
    let mut any = vec![both(tokens)?];
    while takes(tokens, "or") {
        any.push(both(tokens)?);
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Query::Or(any) })
}

fn both(tokens: &mut Vec<Token>) -> Result<Query> {
    let mut all = vec![term(tokens)?];
    while takes(tokens, "and") {
        all.push(term(tokens)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Query::And(all) })
}

fn takes(tokens: &mut Vec<Token>, word: &str) -> bool {
    let found = matches!(tokens.last(), Some(Token::Word(next)) if next == word);
    if found {
        tokens.pop();
    }
    found
}

fn term(tokens: &mut Vec<Token>) -> Result<Query> {
    match tokens.pop().ok_or_else(invalid)? {
        Token::Sign("(") => {
            let query = either(tokens)?;
            let closed = tokens.pop() == Some(Token::Sign(")"));
            if closed { Ok(query) } else { Err(invalid()) }
        }
        Token::Word(word) if word == "not" => Ok(Query::Not(Box::new(term(tokens)?))),
        Token::Word(word) => compared(&word, tokens),
        Token::Quoted(value) => match (tokens.pop(), tokens.pop()) {
            (Some(Token::Word(is_in)), Some(Token::Word(list))) if is_in == "in" => {
                match list.as_str() {
                    "parents" => Ok(Query::InParents(value)),
                    "owners" => Ok(Query::InOwners(value)),
                    _ => Err(invalid()),
                }
            }
            _ => Err(invalid()),
        },
        Token::Sign(_) => Err(invalid()),
    }
}

fn compared(word: &str, tokens: &mut Vec<Token>) -> Result<Query> {
    let operator = match tokens.pop() {
        Some(Token::Sign(sign)) => sign,
        Some(Token::Word(contains)) if contains == "contains" => "contains",
        _ => return Err(invalid()),
    };
    match (word, operator, tokens.pop().ok_or_else(invalid)?) {
        ("name", "=", Token::Quoted(text)) => Ok(Query::Name(Text::Is(text))),
        ("name", "!=", Token::Quoted(text)) => Ok(Query::Name(Text::IsNot(text))),
        // "The `contains` operator only performs prefix matching for a `name` term."
        ("name", "contains", Token::Quoted(text)) => Ok(Query::Name(Text::BeginsWith(text))),
        ("mimeType", "=", Token::Quoted(text)) => Ok(Query::MimeType(Text::Is(text))),
        ("mimeType", "!=", Token::Quoted(text)) => Ok(Query::MimeType(Text::IsNot(text))),
        ("mimeType", "contains", Token::Quoted(text)) => Ok(Query::MimeType(Text::Contains(text))),
        ("trashed", "=" | "!=", Token::Word(value)) => match value.as_str() {
            "true" => Ok(Query::Trashed(operator == "=")),
            "false" => Ok(Query::Trashed(operator != "=")),
            _ => Err(invalid()),
        },
        _ => Err(invalid()),
    }
}

fn invalid() -> Refusal {
    Refusal::invalid("q", "Invalid Value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_with_mistakes_are_refused() {
        let mistakes = [
            "",
            "name",
            "name =",
            "name = x",
            "name = 'x",
            "name = 'x' and",
            "(name = 'x'",
            "name = 'x')",
            "nome = 'x'",
            "name < 'x'",
            "'x' in",
            "'x' in shelves",
            "trashed = 1",
            "name = 'a'b'",
            r"name = 'a\b'",
            "name = 'x' name = 'y'",
        ];
        for mistake in mistakes {
            assert!(Query::parse(mistake).is_err(), "{mistake}");
        }
    }
}
