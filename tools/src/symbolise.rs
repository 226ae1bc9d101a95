//! `cargo xtask symbolise`: names for the addresses of a backtrace.
//!
//! Any text may be given, such as a whole console log: every hexadecimal number that is an address
//! within the firmware's code is followed by function, file and line.

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use anyhow::{Context as _, Result};
use object::{Object, ObjectSection, SectionKind};
use rustc_demangle::demangle;

type Reader<'d> = EndianSlice<'d, LittleEndian>;

/// The firmware's names and lines.
pub struct Symbols<'d> {
    context: Context<Reader<'d>>,
    code: Vec<std::ops::Range<u64>>,
}

impl<'d> Symbols<'d> {
    /// Reads the unstripped firmware, given as the bytes of its file.
    ///
    /// # Errors
    /// When it is no ELF file or has no debug information.
    pub fn parse(debug_file: &'d [u8]) -> Result<Self> {
        let file = object::File::parse(debug_file).context("not an ELF file")?;
        let section = |id: SectionId| -> Result<Reader<'d>> {
            let data = file
                .section_by_name(id.name())
                .map(|section| section.data())
                .transpose()?;
            Ok(Reader::new(data.unwrap_or_default(), LittleEndian))
        };
        let context =
            Context::from_dwarf(Dwarf::load(section)?).context("no usable debug information")?;
        let code = file
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .map(|section| section.address()..section.address() + section.size())
            .collect();
        Ok(Self { context, code })
    }

    /// Function, file and line at `address`, innermost inlined function first.
    pub fn frames(&self, address: u64) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.code.iter().any(|range| range.contains(&address)) {
            return lines;
        }
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else {
            return lines;
        };
        while let Ok(Some(frame)) = frames.next() {
            let raw = frame
                .function
                .as_ref()
                .and_then(|function| function.raw_name().ok());
            let name = raw.map_or_else(
                || "unknown function".to_owned(),
                |raw| format!("{:#}", demangle(&raw)),
            );
            let place = frame.location.map_or_else(String::new, |location| {
                format!(
                    " at {}:{}",
                    location.file.unwrap_or("?"),
                    location.line.unwrap_or(0)
                )
            });
            lines.push(format!("{name}{place}"));
        }
        lines
    }

    /// The text with names behind its addresses.
    pub fn annotate(&self, text: &str) -> String {
        let mut out = String::new();
        for line in text.lines() {
            out.push_str(line);
            out.push('\n');
            // A backtrace line holds a return address, which may already belong to the next line or
            // function; the call itself lies before it.
            let back = u64::from(line.trim_start().starts_with('#'));
            for address in addresses(line) {
                for frame in self.frames(address.saturating_sub(back)) {
                    out.push_str(&format!("      {address:#x} {frame}\n"));
                }
            }
        }
        out
    }
}

/// The hexadecimal numbers in a line: `0x` and up to sixteen digits, underscores allowed.
fn addresses(line: &str) -> Vec<u64> {
    let numbers = line.split("0x").skip(1).map(|rest| {
        let digits: String = rest
            .chars()
            .take_while(|c| c.is_ascii_hexdigit() || *c == '_')
            .filter(|c| *c != '_')
            .collect();
        u64::from_str_radix(&digits, 16)
    });
    numbers.flatten().collect()
}

#[cfg(test)]
mod tests {
    use object::ObjectSymbol;

    use super::*;

    #[test]
    fn every_hexadecimal_number_of_a_line_is_found() {
        assert_eq!(
            addresses("rip 0x0000000000204a10 rsp=0x7f_f0 end"),
            [0x20_4a10, 0x7ff0]
        );
        assert!(addresses("nothing here, 12 and x10").is_empty());
        assert!(addresses("0xffffffffffffffffff").is_empty());
    }

    /// A function that is certainly in the executable under its own name.
    #[inline(never)]
    fn landmark(number: u64) -> u64 {
        std::hint::black_box(number) + 1
    }

    #[test]
    fn a_function_of_this_program_is_found_by_its_address() {
        // The test's own executable has code and line tables, like the firmware's debug file.
        assert_eq!(landmark(1), 2);
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let symbols = Symbols::parse(&bytes).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let is_landmark = |symbol: &object::Symbol<'_, '_>| {
            symbol.name().is_ok_and(|name| name.contains("landmark"))
        };
        let address = file.symbols().find(is_landmark).unwrap().address();
        let annotated = symbols.annotate(&format!("rip {address:#x}\nrsp 0x7"));
        assert!(
            annotated.contains("landmark at ") && annotated.contains("symbolise.rs:"),
            "{annotated}"
        );
        assert_eq!(annotated.lines().count(), 2 + symbols.frames(address).len());
    }
}
