//! The macro that makes a suite of a list of rules.

/// Makes a suite: `cases` with one public function for each rule, and an exported macro `$suite!`
/// that turns back-ends into tests. `$d` is a dollar sign, for the macro that this one writes.
macro_rules! suite {
    (
        $d:tt, $suite:ident, $fixture:ident;
        $($facet:ident { $($rule:ident,)+ })+
    ) => {
        /// The rules by facet, for the tests that the suite's macro makes.
        #[doc(hidden)]
        pub mod cases {
            $(pub mod $facet {
                $(pub async fn $rule(fixture: super::super::$fixture) {
                    super::super::$facet::$rule(fixture).await;
                })+
            })+
        }

        /// Makes one test for each rule and back-end.
        #[macro_export]
        macro_rules! $suite {
            ($d($d backend:ident => $d open:expr),+ $d(,)?) => {
                $d(mod $d backend {
                    $(mod $facet {
                        $(#[test]
                        fn $rule() {
                            $crate::$suite::check(
                                $d open,
                                $crate::$suite::cases::$facet::$rule,
                            );
                        })+
                    })+

                    #[test]
                    fn random_lives_follow_the_model() {
                        $crate::$suite::follow_the_model($d open);
                    }
                })+
            };
        }
    };
}

pub(crate) use suite;
