# cmake -DOUTPUT=header.h -DFILES="a.cpp;b.h" -P Fingerprint.cmake
# Writes a header that defines GRAPNEL_GENERATOR_FINGERPRINT: other contents of any of the files give
# another text, the same contents the same in every clone. The header changes only when the text does.
cmake_policy(VERSION 3.25)
set(all "")
foreach(file IN LISTS FILES)
  file(SHA256 "${file}" one)
  string(APPEND all "${one}")
endforeach()
string(SHA256 fingerprint "${all}")
string(SUBSTRING "${fingerprint}" 0 16 fingerprint)
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
     "/* Made by cmake/Fingerprint.cmake. */\n#define GRAPNEL_GENERATOR_FINGERPRINT \"@fingerprint@\"\n"
     @ONLY)
