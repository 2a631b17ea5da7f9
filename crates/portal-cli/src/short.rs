//! Messages that name what they were given, however long it was.

use std::borrow::Cow;

/// The message; of a line that nobody would read to its end, its begin and its end.
pub(crate) fn lines(message: &str) -> Cow<'_, str> {
    if message.lines().all(|line| line.len() <= LONGEST) {
        return message.into();
    }
    message.split_inclusive('\n').map(line).collect::<String>().into()
}

fn line(line: &str) -> Cow<'_, str> {
    if line.len() <= LONGEST {
        return line.into();
    }
    let (begin, end) = (line.floor_char_boundary(KEPT), line.ceil_char_boundary(line.len() - KEPT));
    format!("{} [{} bytes] {}", &line[..begin], end - begin, &line[end..]).into()
}

/// In bytes. Longer than any line that this command says of its own.
const LONGEST: usize = 2000;

/// Of either end of a longer line, in bytes.
const KEPT: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_middle_of_a_long_line_is_left_out() {
        let long = "é".repeat(50_000);
        let message = format!("cannot read {long}: no such file\n  hint: check the path\n");
        let short = lines(&message);
        assert!(short.len() < LONGEST, "{short}");
        assert!(short.starts_with("cannot read éé"), "{short}");
        assert!(short.ends_with("éé: no such file\n  hint: check the path\n"), "{short}");
        let many = "a line\n".repeat(LONGEST);
        assert_eq!(lines(&many), many);
    }
}
