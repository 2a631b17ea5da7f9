//! Patterns that are guessed before all else.

/// One piece over and over, or neighbors in order, up or down.
pub(super) fn is_trivial(password: &str) -> bool {
    let piece_lens = (1..=password.len() / 2).filter(|len| password.len().is_multiple_of(*len));
    piece_lens.into_iter().any(|len| repeats(password.as_bytes(), len)) || is_sequence(password)
}

fn repeats(password: &[u8], piece_len: usize) -> bool {
    password.chunks(piece_len).all(|piece| piece == &password[..piece_len])
}

fn is_sequence(password: &str) -> bool {
    let follows = |from: char, to: char| match (from, to) {
        // As on the keyboard, 0 follows 9.
        ('9', '0') => true,
        _ => u32::from(from) + 1 == u32::from(to),
    };
    let in_order = |step: &dyn Fn(char, char) -> bool| {
        password.chars().zip(password.chars().skip(1)).all(|(a, b)| step(a, b))
    };
    in_order(&follows) || in_order(&|a, b| follows(b, a))
}

/// Whether `digits` read as a year, or as a date in any usual order.
pub(super) fn is_date(digits: &str) -> bool {
    match digits.len() {
        4 => is_year(digits) || is_day_and_month(digits),
        6 => is_day_and_month(&digits[..4]) || is_day_and_month(&digits[2..]),
        8 => {
            is_day_and_month(&digits[..4]) && is_year(&digits[4..])
                || is_year(&digits[..4]) && is_day_and_month(&digits[4..])
        }
        _ => false,
    }
}

fn is_year(digits: &str) -> bool {
    digits.starts_with("19") || digits.starts_with("20")
}

/// Day and month, or month and day.
fn is_day_and_month(digits: &str) -> bool {
    let is_in = |digits: &str, last: u32| {
        digits.parse::<u32>().is_ok_and(|number| (1..=last).contains(&number))
    };
    let (first, second) = digits.split_at(2);
    is_in(first, 31) && is_in(second, 12) || is_in(first, 12) && is_in(second, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_sequences_are_trivial() {
        for trivial in ["0000", "1212", "123123", "1234", "4321", "67890", "098765", "ääää", "abcd"]
        {
            assert!(is_trivial(trivial), "{trivial}");
        }
        for other in ["7391", "1221", "1357", "12345a", "äöäü"] {
            assert!(!is_trivial(other), "{other}");
        }
    }

    #[test]
    fn years_and_dates_in_every_usual_order_are_dates() {
        for date in ["1984", "2031", "3112", "1231", "240586", "052486", "860524", "24051986"] {
            assert!(is_date(date), "{date}");
        }
        for date in ["05241986", "19860524"] {
            assert!(is_date(date), "{date}");
        }
        for other in ["7391", "3231", "994177", "99417739", "24054186", "73916"] {
            assert!(!is_date(other), "{other}");
        }
    }

    #[test]
    fn most_pins_are_left() {
        let left =
            (0..1_000_000).map(|pin| format!("{pin:06}")).filter(|pin| !is_date(pin)).count();
        assert!(left > 850_000, "{left}");
    }
}
