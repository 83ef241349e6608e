# comment
image_tag = "1.5.0"
 image_tag = "1.4.1"
