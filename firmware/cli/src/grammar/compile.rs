//! Turns the tables into one program of small instructions, in the manner of a regular-expression
//! compiler: keywords and arguments consume, splits branch, and [`super::walk`] runs all branches
//! side by side. The first keywords are indexed so that a line meets only the rows it can mean.

use super::error::{SyntaxCause, SyntaxError};
use super::syntax::{self, Node};
use super::value::{Kind, starts_with_ignore_case};
use super::{Fragment, No, Row, dotted};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// An instruction's place in the program.
pub(super) type Pc = u32;

/// Fragments inside fragments beyond this are taken for a loop.
const FRAGMENT_DEPTH_MAX: usize = 12;
/// Bits of [`Op::Once`] in one row.
const OPTIONS_MAX: u32 = 64;

/// What a consuming instruction needs for captures and help.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Index into [`Program::groups`].
    pub(super) group: u16,
    /// Index of the fragment whose help applies, if any.
    pub(super) fragment: Option<u16>,
    /// The row.
    pub(super) row: u32,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Consumes a keyword.
    Keyword(&'static str, Place),
    /// Consumes an argument.
    Argument(&'static str, Kind, Place),
    /// Goes on at each of these, the earlier preferred.
    Split(Box<[Pc]>),
    /// Goes on there.
    Jump(Pc),
    /// Goes on at the next instruction if this bit of the thread is clear, and sets it.
    Once(u32),
    /// The line may end here: row.
    Accept(u32),
}

/// One form of a row (as is, or after `no`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) start: Pc,
}

/// Entries by the keyword they begin with.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Lower-case first keyword, entries; sorted.
    keyed: Vec<(String, Vec<Entry>)>,
    /// Entries that can begin with an argument.
    open: Vec<Entry>,
    /// Every entry once, in table order.
    pub(super) all: Vec<Entry>,
}

impl Index {
    /// The entries that may begin with `word`, in table order.
    pub(super) fn candidates(&self, word: &str) -> Vec<Entry> {
        let mut lower = String::from(word);
        lower.make_ascii_lowercase();
        let from = self
            .keyed
            .partition_point(|(key, _)| key.as_str() < lower.as_str());
        let tail = self.keyed.get(from..).unwrap_or_default();
        let mut found: Vec<Entry> = Vec::new();
        // Entries under longer keywords stay even beside an exact one: the mode may hide that one.
        for (_, entries) in tail
            .iter()
            .take_while(|(key, _)| key.starts_with(lower.as_str()))
        {
            found.extend_from_slice(entries);
        }
        found.extend_from_slice(&self.open);
        found.sort_by_key(|entry| entry.start);
        found.dedup_by_key(|entry| entry.start);
        found
    }

    fn add(&mut self, entry: Entry, ops: &[Op]) {
        self.all.push(entry);
        let mut stack = Vec::from([entry.start]);
        let mut seen = Vec::new();
        let mut is_open = false;
        while let Some(pc) = stack.pop() {
            if seen.contains(&pc) {
                continue;
            }
            seen.push(pc);
            match ops.get(pc as usize) {
                Some(Op::Keyword(word, _)) => {
                    let key = word.to_ascii_lowercase();
                    match self.keyed.binary_search_by(|(other, _)| other.cmp(&key)) {
                        Ok(at) => {
                            if let Some((_, entries)) = self.keyed.get_mut(at) {
                                entries.push(entry);
                            }
                        }
                        Err(at) => self.keyed.insert(at, (key, Vec::from([entry]))),
                    }
                }
                Some(Op::Argument(..)) => is_open = true,
                Some(Op::Split(targets)) => stack.extend_from_slice(targets),
                Some(Op::Jump(target)) => stack.push(*target),
                Some(Op::Once(_)) => stack.push(pc + 1),
                Some(Op::Accept(_)) | None => {}
            }
        }
        if is_open {
            self.open.push(entry);
        }
    }
}

/// All rows, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) groups: Vec<String>,
    pub(super) plain: Index,
    pub(super) negated: Index,
    fragments: Vec<Fragment>,
}

impl Program {
    pub(super) fn compile<A>(rows: &[Row<A>], fragments: &[Fragment]) -> Result<Self, SyntaxError> {
        let mut trees = Vec::with_capacity(fragments.len());
        for fragment in fragments {
            trees.push(syntax::parse(fragment.syntax)?);
        }
        let mut program = Self {
            fragments: fragments.to_vec(),
            ..Self::default()
        };
        program.groups.push(String::new());
        for (row_index, row) in rows.iter().enumerate() {
            let row_index = row_index as u32;
            let tree = syntax::parse(row.syntax)?;
            if begins_with_no(&tree) {
                return Err(SyntaxError {
                    syntax: row.syntax,
                    offset: 0,
                    cause: SyntaxCause::StartsWithNo,
                });
            }
            let entry = program.entry(row_index, row.syntax, &tree, &trees)?;
            program.plain.add(entry, &program.ops);
            let negated = match row.no {
                No::Forbidden => continue,
                No::Same => entry,
                No::Syntax(syntax) => {
                    let tree = syntax::parse(syntax)?;
                    program.entry(row_index, syntax, &tree, &trees)?
                }
            };
            program.negated.add(negated, &program.ops);
        }
        Ok(program)
    }

    fn entry(
        &mut self,
        row: u32,
        syntax: &'static str,
        tree: &Node,
        fragments: &[Node],
    ) -> Result<Entry, SyntaxError> {
        let start = self.here();
        let mut emitter = Emitter {
            program: self,
            fragments,
            syntax,
            place: Place {
                group: 0,
                fragment: None,
                row,
            },
            options: 0,
            depth: 0,
        };
        emitter.emit(tree)?;
        self.ops.push(Op::Accept(row));
        Ok(Entry { row, start })
    }

    fn here(&self) -> Pc {
        self.ops.len() as Pc
    }

    fn group(&mut self, path: String) -> u16 {
        if let Some(at) = self.groups.iter().position(|known| *known == path) {
            return at as u16;
        }
        self.groups.push(path);
        (self.groups.len() - 1) as u16
    }

    /// The help text of a word at a place: the row's, else the fragment's. An argument's own entry
    /// (`<name>`) goes before one it shares with a keyword (`name`).
    pub(super) fn help_text<A>(
        &self,
        rows: &[Row<A>],
        name: &str,
        is_argument: bool,
        place: Place,
    ) -> Option<&'static str> {
        let row = rows.get(place.row as usize)?;
        let group = self.group_path(place);
        let fragment = place
            .fragment
            .and_then(|at| self.fragments.get(usize::from(at)));
        let path = dotted(group, name);
        let labelled = if group.is_empty() {
            None
        } else {
            find_text(row.help, &path, is_argument)
        };
        labelled
            .or_else(|| find_text(row.help, name, is_argument))
            .or_else(|| find_text(fragment?.help, name, is_argument))
    }

    /// The text of a word: its row's, its fragment's, else that of any row that has one.
    pub(super) fn text<A>(
        &self,
        rows: &[Row<A>],
        name: &str,
        is_argument: bool,
        place: Place,
    ) -> &'static str {
        self.help_text(rows, name, is_argument, place)
            .unwrap_or_else(|| {
                rows.iter()
                    .flat_map(|row| row.help)
                    .find(|(key, _)| *key == name)
                    .map_or("", |&(_, text)| text)
            })
    }

    fn group_path(&self, place: Place) -> &str {
        self.groups
            .get(usize::from(place.group))
            .map_or("", String::as_str)
    }

    /// Keywords and arguments of one row with their texts, in the order of its syntax, each once.
    pub(super) fn texts_of<A>(
        &self,
        rows: &[Row<A>],
        row: usize,
    ) -> Vec<(&'static str, bool, &'static str)> {
        let mut texts = Vec::new();
        let of_row = |place: &Place| place.row as usize == row;
        for (name, is_argument, place) in self.words().filter(|(_, _, place)| of_row(place)) {
            let text = self.text(rows, name, is_argument, place);
            if !texts.contains(&(name, is_argument, text)) {
                texts.push((name, is_argument, text));
            }
        }
        texts
    }

    /// Every keyword and argument of the program; the flag marks arguments.
    fn words(&self) -> impl Iterator<Item = (&'static str, bool, Place)> {
        self.ops.iter().filter_map(|op| match op {
            Op::Keyword(name, place) => Some((*name, false, *place)),
            Op::Argument(name, _, place) => Some((*name, true, *place)),
            _ => None,
        })
    }

    pub(super) fn missing_help<A>(&self, rows: &[Row<A>]) -> Vec<(&'static str, &'static str)> {
        let mut known: Vec<&str> = rows
            .iter()
            .flat_map(|row| row.help)
            .chain(self.fragments.iter().flat_map(|fragment| fragment.help))
            .map(|(key, _)| *key)
            .collect();
        known.sort_unstable();
        let mut missing = Vec::new();
        for (name, is_argument, place) in self.words() {
            let own = self.help_text(rows, name, is_argument, place).is_some();
            if own || known.binary_search(&name).is_ok() {
                continue;
            }
            let syntax = rows.get(place.row as usize).map_or("", |row| row.syntax);
            if !missing.contains(&(syntax, name)) {
                missing.push((syntax, name));
            }
        }
        missing
    }

    pub(super) fn unused_help<A>(&self, rows: &[Row<A>]) -> Vec<(&'static str, &'static str)> {
        let mut unused = Vec::new();
        for (row_index, row) in rows.iter().enumerate() {
            for (key, _) in row.help {
                let used = self
                    .words()
                    .filter(|(_, _, place)| place.row as usize == row_index)
                    .any(|word| {
                        let (name, is_argument, place) = word;
                        let is_named =
                            |name: &str| *key == name || (is_argument && inside(key) == Some(name));
                        is_named(name) || is_named(&dotted(self.group_path(place), name))
                    });
                if !used {
                    unused.push((row.syntax, *key));
                }
            }
        }
        unused
    }
}

/// A table entry for a word; for arguments `<name>` before `name`.
fn find_text(
    table: &'static [(&'static str, &'static str)],
    name: &str,
    is_argument: bool,
) -> Option<&'static str> {
    let own = table
        .iter()
        .find(|(key, _)| is_argument && inside(key) == Some(name));
    own.or_else(|| table.iter().find(|(key, _)| *key == name))
        .map(|&(_, text)| text)
}

/// `name` of `<name>`.
fn inside(key: &str) -> Option<&str> {
    key.strip_prefix('<')?.strip_suffix('>')
}

/// Writes the instructions of one row.
struct Emitter<'a> {
    program: &'a mut Program,
    fragments: &'a [Node],
    syntax: &'static str,
    place: Place,
    options: u32,
    depth: usize,
}

impl Emitter<'_> {
    fn error(&self, offset: usize, cause: SyntaxCause) -> SyntaxError {
        SyntaxError {
            syntax: self.syntax,
            offset,
            cause,
        }
    }

    /// Reserves an instruction to be filled in once its targets are known.
    fn hole(&mut self) -> usize {
        self.program.ops.push(Op::Jump(0));
        self.program.ops.len() - 1
    }

    fn fill(&mut self, hole: usize, op: Op) {
        if let Some(slot) = self.program.ops.get_mut(hole) {
            *slot = op;
        }
    }

    fn emit(&mut self, node: &Node) -> Result<(), SyntaxError> {
        match node {
            Node::Keyword(word) => self.program.ops.push(Op::Keyword(word, self.place)),
            Node::Argument { name, kind } => {
                self.program.ops.push(Op::Argument(name, *kind, self.place));
            }
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.emit(node)?;
                }
            }
            Node::OneOf(branches) => self.one_of(branches, false)?,
            Node::Optional(inner) => {
                let hole = self.hole();
                let body = self.program.here();
                self.emit(inner)?;
                let after = self.program.here();
                self.fill(hole, Op::Split(Box::new([body, after])));
            }
            Node::AnyOrder(branches) => self.one_of(branches, true)?,
            Node::Repeat(inner, offset) => {
                if self.is_nullable(inner, 0) {
                    return Err(self.error(*offset, SyntaxCause::RepeatsNothing));
                }
                let body = self.program.here();
                self.emit(inner)?;
                let after = self.program.here() + 1;
                self.program.ops.push(Op::Split(Box::new([body, after])));
            }
            Node::Labelled(label, inner) => {
                let outer = self.place.group;
                let path = self
                    .program
                    .groups
                    .get(usize::from(outer))
                    .map_or("", String::as_str);
                let path = dotted(path, label);
                self.place.group = self.program.group(path);
                self.emit(inner)?;
                self.place.group = outer;
            }
            Node::Fragment { name, offset } => {
                let Some(index) = self.program.fragments.iter().position(|f| f.name == *name)
                else {
                    return Err(self.error(*offset, SyntaxCause::UnknownFragment));
                };
                if self.depth >= FRAGMENT_DEPTH_MAX {
                    return Err(self.error(*offset, SyntaxCause::Recursive));
                }
                let fragments = self.fragments;
                let Some(tree) = fragments.get(index) else {
                    return Ok(());
                };
                let (outer, syntax) = (self.place.fragment, self.syntax);
                self.place.fragment = Some(index as u16);
                self.syntax = self
                    .program
                    .fragments
                    .get(index)
                    .map_or(syntax, |f| f.syntax);
                self.depth += 1;
                self.emit(tree)?;
                self.depth -= 1;
                self.syntax = syntax;
                self.place.fragment = outer;
            }
        }
        Ok(())
    }

    /// Branches; with `repeated`, each branch at most once and back to the choice, which may be left.
    fn one_of(&mut self, branches: &[Node], repeated: bool) -> Result<(), SyntaxError> {
        let head = self.hole();
        let mut targets = Vec::with_capacity(branches.len() + 1);
        let mut ends = Vec::with_capacity(branches.len());
        for branch in branches {
            targets.push(self.program.here());
            if repeated {
                if self.options >= OPTIONS_MAX {
                    return Err(self.error(0, SyntaxCause::TooManyOptions));
                }
                if self.is_nullable(branch, 0) {
                    return Err(self.error(0, SyntaxCause::RepeatsNothing));
                }
                self.program.ops.push(Op::Once(self.options));
                self.options += 1;
            }
            self.emit(branch)?;
            ends.push(self.hole());
        }
        let after = self.program.here();
        for end in ends {
            self.fill(end, Op::Jump(if repeated { head as Pc } else { after }));
        }
        if repeated {
            targets.push(after);
        }
        self.fill(head, Op::Split(targets.into_boxed_slice()));
        Ok(())
    }

    fn is_nullable(&self, node: &Node, depth: usize) -> bool {
        match node {
            Node::Keyword(_) | Node::Argument { .. } => false,
            Node::Optional(_) | Node::AnyOrder(_) => true,
            Node::Sequence(nodes) => nodes.iter().all(|node| self.is_nullable(node, depth)),
            Node::OneOf(nodes) => nodes.iter().any(|node| self.is_nullable(node, depth)),
            Node::Repeat(inner, _) | Node::Labelled(_, inner) => self.is_nullable(inner, depth),
            Node::Fragment { name, .. } => {
                let index = self.program.fragments.iter().position(|f| f.name == *name);
                // A fragment in itself is refused when it is emitted.
                depth < FRAGMENT_DEPTH_MAX
                    && index
                        .and_then(|index| self.fragments.get(index))
                        .is_some_and(|tree| self.is_nullable(tree, depth + 1))
            }
        }
    }
}

fn begins_with_no(tree: &Node) -> bool {
    match tree {
        Node::Keyword(word) => word.eq_ignore_ascii_case("no"),
        Node::Sequence(nodes) => nodes.first().is_some_and(begins_with_no),
        _ => false,
    }
}

/// How a typed word fits a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeywordFit {
    Exact,
    Prefix,
    Not,
}

pub(super) fn keyword_fit(keyword: &str, word: &str) -> KeywordFit {
    if keyword.len() == word.len() && keyword.eq_ignore_ascii_case(word) {
        KeywordFit::Exact
    } else if starts_with_ignore_case(keyword, word) {
        KeywordFit::Prefix
    } else {
        KeywordFit::Not
    }
}
