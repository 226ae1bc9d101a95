//! How bad it is: RFC 5424 §6.2.1, with ASA's names.

/// Severity of a message; a smaller number is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum Severity {
    Emergencies,
    Alerts,
    Critical,
    Errors,
    Warnings,
    Notifications,
    Informational,
    Debugging,
}

impl Severity {
    /// Every severity, by number.
    pub const ALL: [Self; 8] = [
        Self::Emergencies,
        Self::Alerts,
        Self::Critical,
        Self::Errors,
        Self::Warnings,
        Self::Notifications,
        Self::Informational,
        Self::Debugging,
    ];

    /// Number 0 to 7.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The severity of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Emergencies => "emergencies",
            Self::Alerts => "alerts",
            Self::Critical => "critical",
            Self::Errors => "errors",
            Self::Warnings => "warnings",
            Self::Notifications => "notifications",
            Self::Informational => "informational",
            Self::Debugging => "debugging",
        }
    }

    /// Reads a number or a unique beginning of a keyword, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text
            .parse()
            .ok()
            .filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
        {
            return Self::from_number(number);
        }
        let mut fitting = Self::ALL.into_iter().filter(|severity| {
            severity
                .keyword()
                .get(..text.len())
                .is_some_and(|start| !text.is_empty() && start.eq_ignore_ascii_case(text))
        });
        // `e` could be two of them.
        fitting.next().filter(|_| fitting.next().is_none())
    }
}
