//! Of which media type a file's content is.

use std::path::Path;

use gristmill_job::media;

/// The media type of a file: told by its extension, else text where its content is UTF-8 without NUL,
/// else bytes.
#[must_use]
pub fn media_type(path: &Path, data: &[u8]) -> &'static str {
    by_extension(path).unwrap_or_else(|| sniffed(data))
}

/// The media type of a content without a name: text where it is UTF-8 without NUL, else bytes.
#[must_use]
pub fn sniffed(data: &[u8]) -> &'static str {
    let is_text = std::str::from_utf8(data).is_ok() && !data.contains(&0);
    if is_text { media::TEXT } else { media::BYTES }
}

fn by_extension(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "json" => media::JSON,
        "txt" | "text" | "log" | "srt" | "rst" => media::TEXT,
        "md" | "markdown" => "text/markdown",
        "csv" => "text/csv",
        "vtt" => "text/vtt",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "xml" => "text/xml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_extension_tells_its_media_type_before_its_content_does() {
        assert_eq!(by_extension(Path::new("a.JSON")), Some("application/json"));
        assert_eq!(by_extension(Path::new("a.srt")), Some("text/plain"));
        assert_eq!(by_extension(Path::new("Makefile")), None);
        assert_eq!(sniffed("ä".as_bytes()), "text/plain");
        assert_eq!(sniffed(&[0xFF]), "application/octet-stream");
        assert_eq!(sniffed(b"a\0b"), "application/octet-stream");
    }
}
