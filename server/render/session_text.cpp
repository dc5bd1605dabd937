#include "server/render/session_text.hpp"

#include <string>

#include "server/media/block_file.hpp"
#include "server/session/session_file.hpp"

namespace continuo::render {

Result<session::Document> read_session(const std::filesystem::path& file) {
  auto opened = media::BlockFile::open(file);
  if (!opened) return opened.error();
  if ((*opened)->size() > static_cast<std::int64_t>(session::kMaxSessionBytes)) {
    return make_error(ErrorKind::invalid_argument, "TOO_LARGE", file.string(),
                      file.string() + " is larger than 64 MiB");
  }
  std::string text(static_cast<std::size_t>((*opened)->size()), '\0');
  text.resize((*opened)->read(text.data(), text.size()));
  if ((*opened)->error_number() != 0) {
    return make_error(ErrorKind::data_loss, "READ_FAILED", file.string(), "cannot read " + file.string());
  }
  auto document = session::parse_session(text, [next = rt::Uid{0}]() mutable { return ++next; });
  if (document) return document;
  Error error = document.error();
  error.message = file.string() + ": " + error.message;
  return error;
}

}  // namespace continuo::render
