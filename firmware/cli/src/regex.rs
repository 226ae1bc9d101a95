//! A small regular-expression matcher whose time is linear in the line for every pattern.
//!
//! Knows literals, `.`, `[a-z]`, `[^…]`, `*`, `+`, `?`, `^`, `$`, `|`, `( )`, and `\` before any
//! character taken literally. A pattern compiles to instructions that run side by side (Thompson,
//! Programming Techniques: Regular expression search algorithm, 1968); nothing backtracks.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The longest pattern, in bytes.
pub const PATTERN_MAX: usize = 256;
/// The deepest nesting of brackets.
const DEPTH_MAX: usize = 16;

/// Why a pattern does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegexError {
    /// Round brackets nested too deeply.
    Depth,
    /// A `[` or `(` without its end, or a `)` without its beginning, or a `\` at the end.
    Incomplete,
    /// A range whose end lies before its start.
    Range,
    /// Longer than [`PATTERN_MAX`].
    TooLong,
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Class([u64; 4]);

impl Class {
    const ANY: Self = Self([u64::MAX; 4]);

    fn of(byte: u8) -> Self {
        let mut class = Self::default();
        class.add(byte);
        class
    }

    fn add(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    fn has(&self, byte: u8) -> bool {
        self.0
            .get(usize::from(byte >> 6))
            .is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    fn inverted(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

#[derive(Clone, Debug)]
enum Node {
    Byte(Class),
    Start,
    End,
    Sequence(Vec<Node>),
    OneOf(Vec<Node>),
    Repeat {
        node: Box<Node>,
        may_be_none: bool,
        may_be_many: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Byte(Class),
    Start,
    End,
    Split(usize, usize),
    Jump(usize),
    Match,
}

/// A compiled pattern with its working memory.
#[derive(Clone, Debug)]
pub struct Regex {
    ops: Vec<Op>,
    now: Vec<usize>,
    next: Vec<usize>,
    stack: Vec<usize>,
    /// Per instruction the step it was last reached in, so that none is listed twice.
    seen: Vec<usize>,
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`RegexError`].
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern.len() > PATTERN_MAX {
            return Err(RegexError::TooLong);
        }
        let mut reader = Reader {
            rest: pattern.as_bytes(),
        };
        let node = reader.alternatives(0)?;
        if !reader.rest.is_empty() {
            return Err(RegexError::Incomplete);
        }
        let mut ops = Vec::new();
        emit(&node, &mut ops);
        ops.push(Op::Match);
        let seen = alloc::vec![usize::MAX; ops.len()];
        Ok(Self {
            ops,
            now: Vec::new(),
            next: Vec::new(),
            stack: Vec::new(),
            seen,
        })
    }

    /// Whether the pattern fits anywhere in `line`.
    pub fn is_match(&mut self, line: &str) -> bool {
        let bytes = line.as_bytes();
        self.now.clear();
        self.seen.fill(usize::MAX);
        for (step, byte) in bytes.iter().map(Some).chain([None]).enumerate() {
            // A match may start at every byte.
            if self.reach(0, step, bytes.len()) {
                return true;
            }
            let Some(&byte) = byte else { break };
            let now = core::mem::take(&mut self.now);
            let mut matched = false;
            for &pc in &now {
                if matches!(self.ops.get(pc), Some(Op::Byte(class)) if class.has(byte)) {
                    matched |= self.reach_next(pc + 1, step + 1, bytes.len());
                }
            }
            if matched {
                return true;
            }
            self.now = core::mem::replace(&mut self.next, now);
            self.next.clear();
        }
        false
    }

    fn reach(&mut self, pc: usize, step: usize, len: usize) -> bool {
        let mut list = core::mem::take(&mut self.now);
        let matched = self.follow(pc, step, len, &mut list);
        self.now = list;
        matched
    }

    fn reach_next(&mut self, pc: usize, step: usize, len: usize) -> bool {
        let mut list = core::mem::take(&mut self.next);
        let matched = self.follow(pc, step, len, &mut list);
        self.next = list;
        matched
    }

    /// Lists the byte instructions reachable from `pc` before byte `step`; `true` if the match is.
    fn follow(&mut self, pc: usize, step: usize, len: usize, list: &mut Vec<usize>) -> bool {
        self.stack.push(pc);
        while let Some(pc) = self.stack.pop() {
            match self.seen.get_mut(pc) {
                Some(seen) if *seen != step => *seen = step,
                _ => continue,
            }
            match self.ops.get(pc) {
                Some(Op::Byte(_)) => list.push(pc),
                Some(Op::Start) if step == 0 => self.stack.push(pc + 1),
                Some(Op::End) if step == len => self.stack.push(pc + 1),
                Some(&Op::Split(a, b)) => self.stack.extend([a, b]),
                Some(&Op::Jump(target)) => self.stack.push(target),
                Some(Op::Match) => {
                    self.stack.clear();
                    return true;
                }
                Some(Op::Start | Op::End) | None => {}
            }
        }
        false
    }
}

fn emit(node: &Node, ops: &mut Vec<Op>) {
    match node {
        Node::Byte(class) => ops.push(Op::Byte(*class)),
        Node::Start => ops.push(Op::Start),
        Node::End => ops.push(Op::End),
        Node::Sequence(nodes) => nodes.iter().for_each(|node| emit(node, ops)),
        Node::OneOf(nodes) => {
            let mut ends = Vec::new();
            for (index, node) in nodes.iter().enumerate() {
                let is_last = index + 1 == nodes.len();
                let split = ops.len();
                if !is_last {
                    ops.push(Op::Match);
                }
                emit(node, ops);
                if !is_last {
                    ends.push(ops.len());
                    ops.push(Op::Match);
                    let other = ops.len();
                    fill(ops, split, Op::Split(split + 1, other));
                }
            }
            let after = ops.len();
            for end in ends {
                fill(ops, end, Op::Jump(after));
            }
        }
        Node::Repeat {
            node,
            may_be_none,
            may_be_many,
        } => {
            let head = ops.len();
            if *may_be_none {
                ops.push(Op::Match);
            }
            let body = ops.len();
            emit(node, ops);
            if *may_be_many {
                ops.push(Op::Split(body, ops.len() + 1));
            }
            if *may_be_none {
                let after = ops.len();
                fill(ops, head, Op::Split(body, after));
            }
        }
    }
}

fn fill(ops: &mut [Op], at: usize, op: Op) {
    if let Some(slot) = ops.get_mut(at) {
        *slot = op;
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, RegexError> {
        if depth > DEPTH_MAX {
            return Err(RegexError::Depth);
        }
        let mut branches = Vec::from([self.sequence(depth)?]);
        while self.rest.first() == Some(&b'|') {
            self.take();
            branches.push(self.sequence(depth)?);
        }
        Ok(Node::OneOf(branches))
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, RegexError> {
        let mut nodes = Vec::new();
        while let Some(&byte) = self.rest.first() {
            if byte == b'|' || (byte == b')' && depth > 0) {
                break;
            }
            self.take();
            let node = match byte {
                b'.' => Node::Byte(Class::ANY),
                b'^' => Node::Start,
                b'$' => Node::End,
                b'[' => Node::Byte(self.class()?),
                b'(' => {
                    let node = self.alternatives(depth + 1)?;
                    if self.take() != Some(b')') {
                        return Err(RegexError::Incomplete);
                    }
                    node
                }
                b')' => return Err(RegexError::Incomplete),
                b'\\' => Node::Byte(Class::of(self.take().ok_or(RegexError::Incomplete)?)),
                // Behind nothing, a repetition sign stands for itself.
                byte => Node::Byte(Class::of(byte)),
            };
            nodes.push(self.repeated(node));
        }
        Ok(Node::Sequence(nodes))
    }

    /// Several signs in a row amount to one, so that they nest nothing.
    fn repeated(&mut self, node: Node) -> Node {
        let (mut may_be_none, mut may_be_many) = (false, false);
        while let Some(sign @ (b'*' | b'+' | b'?')) = self.rest.first() {
            may_be_none |= *sign != b'+';
            may_be_many |= *sign != b'?';
            self.take();
        }
        if may_be_none || may_be_many {
            Node::Repeat {
                node: Box::new(node),
                may_be_none,
                may_be_many,
            }
        } else {
            node
        }
    }

    fn class(&mut self) -> Result<Class, RegexError> {
        let mut class = Class::default();
        let inverted = self.rest.first() == Some(&b'^');
        if inverted {
            self.take();
        }
        let mut is_first = true;
        loop {
            let mut low = self.take().ok_or(RegexError::Incomplete)?;
            if low == b']' && !is_first {
                break;
            }
            is_first = false;
            if low == b'\\' {
                low = self.take().ok_or(RegexError::Incomplete)?;
            }
            let mut high = low;
            if let [b'-', end, ..] = *self.rest
                && end != b']'
            {
                self.take();
                self.take();
                high = end;
            }
            if high < low {
                return Err(RegexError::Range);
            }
            (low..=high).for_each(|byte| class.add(byte));
        }
        Ok(if inverted { class.inverted() } else { class })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, line: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(line)
    }

    #[test]
    fn patterns_fit_where_they_should() {
        for (pattern, line, expected) in [
            ("", "", true),
            ("abc", "xxabcxx", true),
            ("abc", "xxabxcx", false),
            ("^abc", "abcd", true),
            ("^abc", "xabc", false),
            ("abc$", "xabc", true),
            ("abc$", "abcx", false),
            ("^$", "", true),
            ("^$", "x", false),
            ("a.c", "abc", true),
            ("a\\.c", "abc", false),
            ("ab*c", "ac", true),
            ("ab*c", "abbbc", true),
            ("ab+c", "ac", false),
            ("ab?c", "abbc", false),
            ("10\\.20\\.0\\.[1-3]$", "ip 10.20.0.2", true),
            ("[^0-9]", "123", false),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("cat|dog", "hotdog", true),
            ("^(cat|dog)s?$", "dogs", true),
            ("^(cat|dog)s?$", "dogma", false),
            ("(a*)*b", "aaab", true),
            ("(a|)+$", "b", true),
            ("* x", "a * x", true),
            ("^a|^b", "xb", false),
        ] {
            assert_eq!(fits(pattern, line), expected, "{pattern} on {line}");
        }
    }

    #[test]
    fn a_bad_pattern_names_its_fault() {
        for (pattern, error) in [
            ("[a", RegexError::Incomplete),
            ("(a", RegexError::Incomplete),
            ("a)", RegexError::Incomplete),
            ("a\\", RegexError::Incomplete),
            ("[z-a]", RegexError::Range),
        ] {
            assert_eq!(Regex::new(pattern).map(|_| ()), Err(error), "{pattern}");
        }
        assert_eq!(
            Regex::new(&"(".repeat(40)).map(|_| ()),
            Err(RegexError::Depth)
        );
        assert_eq!(
            Regex::new(&"a".repeat(257)).map(|_| ()),
            Err(RegexError::TooLong)
        );
    }

    /// A plain backtracking matcher for patterns of the letters a, b, `.` and `*`, to compare with.
    fn simple(pattern: &[u8], line: &[u8]) -> bool {
        fn here(pattern: &[u8], line: &[u8]) -> bool {
            match pattern {
                [] => true,
                [c, b'*', rest @ ..] => {
                    here(rest, line)
                        || line
                            .first()
                            .is_some_and(|b| (*c == b'.' || c == b) && here(pattern, &line[1..]))
                }
                [c, rest @ ..] => line
                    .first()
                    .is_some_and(|b| (*c == b'.' || c == b) && here(rest, &line[1..])),
            }
        }
        (0..=line.len()).any(|at| here(pattern, &line[at..]))
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[ab.*+?^$|()\\[\\]\\\\-]{0,30}", line in "[ab]{0,20}") {
            if let Ok(mut regex) = Regex::new(&pattern) {
                regex.is_match(&line);
            }
        }

        #[test]
        fn agrees_with_a_backtracking_matcher(pattern in "([ab.]\\*?){0,6}", line in "[ab]{0,8}") {
            prop_assert_eq!(fits(&pattern, &line), simple(pattern.as_bytes(), line.as_bytes()));
        }
    }
}
