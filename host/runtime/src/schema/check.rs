//! Holds an input against a schema's forms.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::values::{canonical, is_multiple, same};
use super::{DEPTH_MAX, Form, Place, Properties, Rule, Size, Type};
use crate::misfit::{FAULTS_MAX, Fault, Faults, Path, listed, quoted, shown};

/// Why an input is refused without a full answer.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Steps,
    Depth,
}

type Step = Result<(), Stop>;

/// What is left of what this input may take.
struct Check<'a> {
    forms: &'a [Form],
    steps_left: u64,
    depth_left: usize,
}

pub(super) fn check(forms: &[Form], input: &Value, steps_max: u64) -> Result<(), Vec<Fault>> {
    let mut check = Check { forms, steps_left: steps_max, depth_left: DEPTH_MAX };
    let mut faults = Faults::new(FAULTS_MAX);
    let Err(stop) = check.form(0, input, &Path::Input, &mut faults) else {
        return faults.into_result();
    };
    faults.add(&Path::Input, || match stop {
        Stop::Steps => "checking it by the function's schema takes too long".to_owned(),
        Stop::Depth => "the function's schema leads too deep to check it".to_owned(),
    });
    faults.into_result()
}

impl Check<'_> {
    fn spend(&mut self, steps: u64) -> Step {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Stop::Steps)?;
        Ok(())
    }

    fn form(&mut self, at: Place, value: &Value, path: &Path<'_>, faults: &mut Faults) -> Step {
        self.spend(1)?;
        let rules = match &self.forms[at] {
            Form::Anything => return Ok(()),
            Form::Nothing => {
                faults.add(path, || "nothing may be here".to_owned());
                return Ok(());
            }
            Form::Rules(rules) => rules,
        };
        self.depth_left = self.depth_left.checked_sub(1).ok_or(Stop::Depth)?;
        for rule in rules {
            self.spend(1)?;
            self.rule(rule, value, path, faults)?;
            if faults.is_full() {
                break;
            }
        }
        self.depth_left += 1;
        Ok(())
    }

    /// Whether a value has a form, without words.
    fn has(&mut self, at: Place, value: &Value, path: &Path<'_>) -> Result<bool, Stop> {
        let mut faults = Faults::new(0);
        self.form(at, value, path, &mut faults)?;
        Ok(!faults.any())
    }

    fn rule(&mut self, rule: &Rule, value: &Value, path: &Path<'_>, faults: &mut Faults) -> Step {
        match (rule, value) {
            (Rule::Types(types), _) => check_type(types, value, path, faults),
            (Rule::OneOfValues(values), _) => self.values(values, value, path, faults)?,
            (Rule::Bound(bound, limit), Value::Number(number)) if !bound.holds(number, limit) => {
                faults.add(path, || format!("expected {} {limit}, got {number}", bound.words()));
            }
            (Rule::MultipleOf(of), Value::Number(number)) if !is_multiple(number, of) => {
                faults.add(path, || format!("expected a multiple of {of}, got {number}"));
            }
            (Rule::Size(size, bound), _) => self.size(*size, *bound, value, path, faults)?,
            (Rule::Pattern(pattern), Value::String(text)) => {
                self.spend(pattern.steps(text))?;
                if !pattern.fits(text) {
                    faults.add(path, || {
                        let wanted = quoted(pattern.text());
                        format!("{} doesn't fit the pattern {wanted}", shown(value))
                    });
                }
            }
            (Rule::Items { first, rest }, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let Some(form) = first.get(index).copied().or(*rest) else { break };
                    self.form(form, item, &Path::Item(path, index), faults)?;
                    if faults.is_full() {
                        break;
                    }
                }
            }
            (Rule::Contains { form, min, max }, Value::Array(items)) => {
                self.contains(*form, *min..=max.unwrap_or(u64::MAX), items, path, faults)?;
            }
            (Rule::UniqueItems, Value::Array(items)) => self.unique(items, path, faults)?,
            (Rule::Properties(properties), Value::Object(members)) => {
                self.properties(properties, members, path, faults)?;
            }
            (Rule::PropertyNames(form), Value::Object(members)) => {
                for key in members.keys() {
                    let name = Value::from(key.as_str());
                    self.form(*form, &name, &Path::Key(path, key), faults)?;
                }
            }
            (Rule::Required(condition, names), Value::Object(members)) => {
                if condition.as_ref().is_none_or(|key| members.contains_key(key)) {
                    self.required(names, members, path, faults)?;
                }
            }
            (Rule::Dependent(key, form), Value::Object(members)) if members.contains_key(key) => {
                self.form(*form, value, path, faults)?;
            }
            _ => self.combined(rule, value, path, faults)?,
        }
        Ok(())
    }

    /// Rules that are made of whole schemas, of the same value.
    fn combined(
        &mut self,
        rule: &Rule,
        value: &Value,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        match rule {
            Rule::All(forms) => {
                forms.iter().try_for_each(|form| self.form(*form, value, path, faults))
            }
            Rule::Any(forms) | Rule::One(forms) => {
                let only = matches!(rule, Rule::One(_));
                match self.fitting(forms, only, value, path)? {
                    0 if faults.wants_words() => self.closest(forms, value, path, faults),
                    1 => Ok(()),
                    fitting => {
                        faults.add(path, || match fitting {
                            0 => format!("it has none of {} forms", forms.len()),
                            _ => "it has two forms at once, and may have only one".to_owned(),
                        });
                        Ok(())
                    }
                }
            }
            Rule::Not(form) => {
                if self.has(*form, value, path)? {
                    faults.add(path, || format!("{} is what it may not be", shown(value)));
                }
                Ok(())
            }
            Rule::If { condition, then, otherwise } => {
                let next = if self.has(*condition, value, path)? { then } else { otherwise };
                next.map_or(Ok(()), |form| self.form(form, value, path, faults))
            }
            _ => Ok(()),
        }
    }

    /// How many of several forms a value has; it is enough to know one, or if there may be only one, two.
    fn fitting(
        &mut self,
        forms: &[Place],
        only: bool,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<usize, Stop> {
        let enough = 1 + usize::from(only);
        let mut fitting = 0;
        for form in forms {
            fitting += usize::from(self.has(*form, value, path)?);
            if fitting == enough {
                break;
            }
        }
        Ok(fitting)
    }

    /// The faults of the one form that was meant, if that can be told: those of its kind are within the
    /// value, it has no word that is another form's, and fewest.
    fn closest(
        &mut self,
        forms: &[Place],
        value: &Value,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        let here = path.to_string();
        let mut meant: Vec<((bool, usize), Faults)> = Vec::new();
        for form in forms {
            let mut beside = faults.beside();
            self.form(*form, value, path, &mut beside)?;
            if beside.found().iter().all(|fault| fault.path != here) {
                meant.push(((beside.other_value(), beside.found().len()), beside));
            }
        }
        meant.sort_by_key(|tried| tried.0);
        let is_clear = match &meant[..] {
            [] => false,
            [_] => true,
            [first, second, ..] => first.0 < second.0,
        };
        match meant.into_iter().next() {
            Some((_, closest)) if is_clear => faults.take(closest),
            _ => faults.add(path, || format!("it has none of {} forms", forms.len())),
        }
        Ok(())
    }

    fn values(
        &mut self,
        values: &[Value],
        value: &Value,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        let mut text = None;
        for known in values {
            self.spend(1)?;
            let is_same = match same(known, value) {
                Some(is_same) => is_same,
                None => {
                    let known = canonical(known);
                    let text: &String = text.get_or_insert_with(|| canonical(value));
                    self.spend((known.len() + text.len()) as u64)?;
                    known == *text
                }
            };
            if is_same {
                return Ok(());
            }
        }
        faults.add_other_value(path, || {
            format!(
                "expected {}, got {}",
                listed(values.iter().map(Value::to_string), " or "),
                shown(value)
            )
        });
        Ok(())
    }

    fn size(
        &mut self,
        size: Size,
        bound: u64,
        value: &Value,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        let (count, of) = match (size, value) {
            (Size::LengthMin | Size::LengthMax, Value::String(text)) => {
                self.spend(text.len() as u64 / 16)?;
                (text.chars().count(), "characters")
            }
            (Size::ItemsMin | Size::ItemsMax, Value::Array(items)) => (items.len(), "items"),
            (Size::PropertiesMin | Size::PropertiesMax, Value::Object(members)) => {
                (members.len(), "keys")
            }
            _ => return Ok(()),
        };
        let is_min = matches!(size, Size::LengthMin | Size::ItemsMin | Size::PropertiesMin);
        let (words, holds) = match is_min {
            true => ("at least", count as u64 >= bound),
            false => ("at most", count as u64 <= bound),
        };
        if !holds {
            faults.add(path, || format!("expected {words} {bound} {of}, got {count}"));
        }
        Ok(())
    }

    fn contains(
        &mut self,
        form: Place,
        wanted: std::ops::RangeInclusive<u64>,
        items: &[Value],
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        let mut fitting = 0;
        for (index, item) in items.iter().enumerate() {
            fitting += u64::from(self.has(form, item, &Path::Item(path, index))?);
        }
        if !wanted.contains(&fitting) {
            let (min, max) = (wanted.start(), wanted.end());
            let most = if *max == u64::MAX { String::new() } else { format!(" and at most {max}") };
            faults.add(path, || {
                format!("expected at least {min}{most} items of one form, got {fitting}")
            });
        }
        Ok(())
    }

    fn unique(&mut self, items: &[Value], path: &Path<'_>, faults: &mut Faults) -> Step {
        let mut seen = HashSet::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let text = canonical(item);
            self.spend(1 + text.len() as u64)?;
            if !seen.insert(text) {
                faults.add(&Path::Item(path, index), || "an item before it is the same".to_owned());
                break;
            }
        }
        Ok(())
    }

    fn required(
        &mut self,
        names: &[String],
        members: &Map<String, Value>,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        self.spend(names.len() as u64)?;
        for name in names.iter().filter(|name| !members.contains_key(*name)) {
            faults.add(&Path::Key(path, name), || "it is missing".to_owned());
        }
        Ok(())
    }

    fn properties(
        &mut self,
        properties: &Properties,
        members: &Map<String, Value>,
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        let Properties { named, fitting, others } = properties;
        for (key, value) in members {
            let path = Path::Key(path, key);
            let mut is_other = true;
            if let Ok(at) = named.binary_search_by(|known| known.0.as_str().cmp(key)) {
                is_other = false;
                self.form(named[at].1, value, &path, faults)?;
            }
            for (pattern, form) in fitting {
                self.spend(pattern.steps(key))?;
                if pattern.fits(key) {
                    is_other = false;
                    self.form(*form, value, &path, faults)?;
                }
            }
            if let (true, Some(form)) = (is_other, others) {
                self.other(*form, value, named, &path, faults)?;
            }
            if faults.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// A key that no other rule names.
    fn other(
        &mut self,
        form: Place,
        value: &Value,
        named: &[(String, Place)],
        path: &Path<'_>,
        faults: &mut Faults,
    ) -> Step {
        if !matches!(self.forms[form], Form::Nothing) {
            return self.form(form, value, path, faults);
        }
        faults.add(path, || {
            let known = listed(named.iter().map(|known| &known.0), ", ");
            format!("this key isn't known; known are {known}")
        });
        Ok(())
    }
}

fn check_type(types: &[Type], value: &Value, path: &Path<'_>, faults: &mut Faults) {
    if !types.iter().any(|known| known.is_of(value)) {
        faults.add(path, || {
            let wanted = listed(types.iter().map(|known| known.as_str()), " or ");
            format!("expected {wanted}, got {}", shown(value))
        });
    }
}
