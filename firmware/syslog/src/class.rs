//! Message classes: groups of numbers that `logging class` and `logging list` name.

/// A class of messages, by the first three digits of their numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Class {
    /// The keyword.
    pub keyword: &'static str,
    /// The first three digits of its messages.
    groups: &'static [u32],
}

impl Class {
    /// Every class, by keyword. The grouping is that of ASA's logging guide.
    pub const ALL: [Self; 24] = [
        class("auth", &[109, 113]),
        class("bridge", &[110, 220]),
        class("ca", &[717]),
        class("config", &[111, 112, 208, 308]),
        class("dap", &[734]),
        class("eigrp", &[336]),
        class("email", &[719]),
        class("ha", &[101, 102, 103, 104, 105, 210, 311, 709]),
        class("ids", &[400, 401, 415, 733]),
        class("ip", &[209, 215, 313, 317, 408]),
        class("np", &[319]),
        class("ospf", &[318, 409, 503, 613]),
        class("rip", &[107, 312]),
        class("rm", &[321]),
        class(
            "session",
            &[
                106, 108, 201, 202, 204, 302, 303, 304, 305, 314, 405, 406, 407, 419, 446, 500,
                502, 607, 608, 609, 616, 620, 703, 710,
            ],
        ),
        class("snmp", &[212]),
        class("ssl", &[725]),
        class("svc", &[722]),
        class(
            "sys",
            &[
                199, 211, 214, 216, 306, 307, 315, 411, 414, 604, 605, 606, 610, 612, 614, 615,
                701, 711, 741, 771,
            ],
        ),
        class("vpdn", &[213, 403, 603]),
        class("vpn", &[316, 320, 402, 404, 501, 602, 702, 713, 714, 715]),
        class("vpnc", &[611]),
        class("vpnlb", &[718]),
        class("webvpn", &[716]),
    ];

    /// The class of that keyword.
    #[must_use]
    pub fn from_keyword(keyword: &str) -> Option<&'static Self> {
        const { &Self::ALL }
            .iter()
            .find(|class| class.keyword == keyword)
    }

    /// The class a message belongs to.
    #[must_use]
    pub fn of(number: u32) -> Option<&'static Self> {
        const { &Self::ALL }
            .iter()
            .find(|class| class.contains(number))
    }

    /// Whether the message of that number belongs to the class.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        self.groups.contains(&(number / 1000))
    }
}

const fn class(keyword: &'static str, groups: &'static [u32]) -> Class {
    Class { keyword, groups }
}
