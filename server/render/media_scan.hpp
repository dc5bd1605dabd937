// THREAD: job - which files a document plays, where they are, what they are
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"
#include "server/session/document.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::render {

/// A file that a node names and that cannot be played.
struct MissingMedia {
  std::string node;   // path of the first node that names it
  std::string param;  // its parameter
  std::string file;
  Error error;
};

struct MediaScan {
  session::MediaTable table;  // by the text that names it
  std::map<std::string, std::filesystem::path> paths;
  std::vector<MissingMedia> missing;  // in the order of the document
  std::vector<std::string> warnings;  // files that can be played, but not whole: lines for a person
};

/// Finds and probes every file that a parameter of the document names, each once: where `given` says, else in the
/// roots. What names no file is silent.
[[nodiscard]] MediaScan scan_media(const session::Document& document, const media::Roots& roots,
                                   const std::string& base,
                                   const std::map<std::string, std::filesystem::path>& given = {});

/// And the files that its cues name, which no render reads: those that are not there are warnings.
void scan_cues(MediaScan& scan, const session::Document& document, const media::Roots& roots, const std::string& base,
               const std::map<std::string, std::filesystem::path>& given = {});

/// All of them in one error; its kind is that of the first.
[[nodiscard]] Error missing_media_error(const std::vector<MissingMedia>& missing);
/// One line for a person each, where they are to be silent.
[[nodiscard]] std::vector<std::string> missing_media_lines(const std::vector<MissingMedia>& missing);

}  // namespace continuo::render
