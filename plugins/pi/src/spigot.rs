//! The digits of π, one after the other, in whole numbers (Rabinowitz and Wagon, 1995).

/// Progress is told once for this many digits: calls of the host are counted.
const PROGRESS_STEP: usize = 100;

/// π with `length` digits after the point; `told` hears how many there are from time to time.
pub fn pi(length: usize, mut told: impl FnMut(usize)) -> String {
    let mut spigot = Spigot::new(length + 1);
    let mut digits = String::new();
    while digits.len() <= length {
        spigot.drip(&mut digits);
        if spigot.dripped.is_multiple_of(PROGRESS_STEP) {
            told(spigot.dripped);
        }
    }
    format!("3.{}", &digits[1..=length])
}

/// A number in a base of many different digits, of which each step takes one decimal digit.
struct Spigot {
    places: Vec<u64>,
    /// A digit that a carry could still change, and how many nines stand after it.
    held: Option<u64>,
    nines: usize,
    dripped: usize,
}

impl Spigot {
    /// Room for so many digits, and some more, since a few are held back.
    fn new(digits: usize) -> Spigot {
        let places = vec![2; digits * 10 / 3 + 32];
        Spigot { places, held: None, nines: 0, dripped: 0 }
    }

    /// Takes one digit, and writes those that no carry can change any more.
    fn drip(&mut self, digits: &mut String) {
        let digit = self.take();
        self.dripped += 1;
        match (digit, self.held) {
            (9, Some(_)) => self.nines += 1,
            (10, Some(held)) => {
                self.write(digits, held + 1, '0');
                self.held = Some(0);
            }
            (_, held) => {
                if let Some(held) = held {
                    self.write(digits, held, '9');
                }
                self.held = Some(digit);
            }
        }
    }

    fn take(&mut self) -> u64 {
        let mut carry = 0;
        for (at, place) in self.places.iter_mut().enumerate().skip(1).rev() {
            let sum = *place * 10 + carry;
            let base = 2 * at as u64 + 1;
            *place = sum % base;
            carry = sum / base * at as u64;
        }
        let sum = self.places[0] * 10 + carry;
        self.places[0] = sum % 10;
        sum / 10
    }

    fn write(&mut self, digits: &mut String, held: u64, nine: char) {
        digits.push_str(&held.to_string());
        digits.extend(std::iter::repeat_n(nine, self.nines));
        self.nines = 0;
    }
}
