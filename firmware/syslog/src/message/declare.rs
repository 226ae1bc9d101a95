//! The macro behind the table of messages.

/// Declares messages: `/// Meaning.`, then `Name { field: Type } = number, Severity, "text";`.
///
/// The text is a format string over the fields, so that a text naming a field that is not there does
/// not compile, and neither does one that leaves a field out.
macro_rules! messages {
    ($(
        #[doc = $meaning:literal]
        $name:ident $({ $($field:ident: $type:ty),+ $(,)? })? = $number:literal, $severity:ident,
        $text:literal;
    )+) => {
        /// A message with what is in it. Nothing is formatted before somebody wants it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "fields are named after what they hold")]
        pub enum Message<'a> {
            $(
                #[doc = $meaning]
                $name $({ $($field: $type),+ })?,
            )+
        }

        /// Which message, without what is in it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Id {
            $(
                #[doc = $meaning]
                $name,
            )+
        }

        impl Id {
            /// Every message, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }

        impl<'a> Message<'a> {
            /// What is known of every message, in the order of [`Id::ALL`].
            pub const ROWS: &'static [$crate::message::Row] = &[$(
                $crate::message::Row {
                    number: $number,
                    severity: $crate::severity::Severity::$severity,
                    text: $text,
                    meaning: $meaning,
                    fields: &[$($((
                        stringify!($field),
                        <$type as $crate::message::field::Field>::SHAPE,
                    )),+)?],
                },
            )+];

            /// Which message it is.
            #[must_use]
            pub const fn id(&self) -> Id {
                match self {
                    $(Self::$name { .. } => Id::$name,)+
                }
            }
        }

        /// The text, without number, severity and time.
        impl core::fmt::Display for Message<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$name $({ $($field),+ })? => write!(f, $text),)+
                }
            }
        }
    };
}

pub(super) use messages;
